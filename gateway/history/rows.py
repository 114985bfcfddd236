"""A result as a row, if a database can hold it. Pure."""

import math

import msgspec

from contract.result import Result
from gateway.errors import Unstorable
from gateway.history.bulk import Row

MAX_ID = 200
MAX_TEXT = 1_000
MAX_SIZE = 2**31 - 1
CLOCK_SLACK_SECONDS = 60.0
OLDEST = 946_684_800.0
"""The year 2000: who says that a picture is older has no clock."""


def row_of(result: Result, stored: float) -> Row:
    """The columns of `results`. Raises Unstorable for texts and numbers that are beyond all measure."""
    if not 0 < len(result.frame_id) <= MAX_ID or not 0 < len(result.camera_id) <= MAX_ID:
        raise Unstorable("frame_id or camera_id is empty or too long")
    if not (0 <= result.width <= MAX_SIZE and 0 <= result.height <= MAX_SIZE):
        raise Unstorable("the size is none")
    return {
        "frame_id": _text(result.frame_id),
        "camera_id": _text(result.camera_id),
        "original_timestamp": _finite(result.original_timestamp),
        "timestamp": _finite(result.timestamp),
        "node_id": _text(result.node_id),
        "model": _text(result.model),
        "status": result.status,
        "reason": None if result.reason is msgspec.UNSET else _text(result.reason),
        "width": result.width,
        "height": result.height,
        "processing_seconds": _finite(result.processing_seconds),
        "queue_seconds": _finite(result.queue_seconds),
        "faces": len(result.detections),
        "detections": msgspec.json.encode(result.detections).decode() if result.detections else "[]",
        "stored": stored,
        "hop": None if result.hop is msgspec.UNSET else _text(result.hop),
    }


def moment(result: Result, wall: float) -> float:
    """When the frame was captured, at the latest when it was computed; where a clock is absurd, when it was stored.

    Else a camera that is an hour ahead would be present in the future, and one without a clock in 1970. `wall` is the
    time of storing; the worker's word on when it computed the frame holds for results that waited long for that, too.
    """
    captured = min(result.original_timestamp, result.timestamp)
    return captured if OLDEST <= captured <= wall + CLOCK_SLACK_SECONDS else wall


def _text(value: str) -> str:
    """PostgreSQL has no room for NUL."""
    return value.replace("\0", "\ufffd")[:MAX_TEXT]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Unstorable("a time is none")
    return value
