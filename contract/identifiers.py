"""Rules for the names of cameras and frames. Standard library only: `make up` needs them before it installs."""

import re

MAX_CAMERA_ID = 64
CAMERA_ID = f"[A-Za-z0-9_-]{{1,{MAX_CAMERA_ID}}}"
"""Part of a regular expression. Dots are not allowed, because they would break routing keys."""
CAMERA_ID_PATTERN = rf"^{CAMERA_ID}\Z"
CAMERA_ID_RULE = re.compile(CAMERA_ID_PATTERN)
CAMERA_ID_SCHEMA = f"^{CAMERA_ID}$"
r"""The same for JSON Schema, whose `$` is what Python calls `\Z`."""

MAX_FRAME_ID = 200

NODE_ID_PATTERN = r"^[A-Za-z0-9_.-]{1,64}\Z"
"""What a worker may be called."""

CANARY_CAMERA = "framefleet-canary"
"""The synthetic camera with known faces, by which gateways see that workers still find some (docs/canary.md)."""
