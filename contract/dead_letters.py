"""What a dead letter says of itself, in headers; and the attempt that a task is on its way to."""

from collections.abc import Mapping
from typing import Any

REASON = "x-framefleet-reason"
ERROR = "x-framefleet-error"
ORIGIN = "x-framefleet-origin"
NODE = "x-framefleet-node"
TIME = "x-framefleet-time"
ATTEMPTS = "x-framefleet-attempts"
"""On a dead letter: how often the frame was tried. On a task: how often it was tried before."""

ALL = (REASON, ERROR, ORIGIN, NODE, TIME, ATTEMPTS)


def attempts(headers: Mapping[str, Any]) -> int:
    """How often the message was tried before, by its own header; a value that is no number counts as 0."""
    value = headers.get(ATTEMPTS, 0)
    return max(0, value) if isinstance(value, int) else 0
