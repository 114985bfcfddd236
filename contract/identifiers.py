"""How cameras and frames are named. Standard library only: what runs before the installation reads it."""

CAMERA_ID = "[A-Za-z0-9_-]{1,64}"
"""As part of an expression. No dots: they would break routing keys."""
CAMERA_ID_PATTERN = rf"^{CAMERA_ID}\Z"
CAMERA_ID_SCHEMA = f"^{CAMERA_ID}$"
r"""In JSON Schema, whose `$` is what Python calls `\Z`."""

MAX_FRAME_ID = 200
