"""Results as workers write them."""

import itertools
from typing import Any

from contract.result import DetectedObject, Result
from gateway.history.pictures import EventPicture
from gateway.history.thumbnail_store import Thumbnail

_numbers = itertools.count()


def result(
    when: float, faces: int = 1, *, camera_id: str = "a", confidence: float = 0.9, **fields: Any
) -> Result:
    """A result of a frame captured at `when`, with so many faces; `frame_id` is new unless it is given."""
    given: dict[str, Any] = {
        "timestamp": when + 0.1,
        "original_timestamp": when,
        "node_id": "n",
        "detections": [
            DetectedObject(x=1, y=2, w=3, h=4, confidence=confidence, label="face") for _ in range(faces)
        ],
        "camera_id": camera_id,
        "frame_id": f"{camera_id}:{next(_numbers)}",
        "width": 640,
        "height": 480,
        "model": "m@1",
        "status": "ok",
        "processing_seconds": 0.02,
        "queue_seconds": 0.05,
    }
    return Result(**(given | fields))


def thumbnail(
    when: float, quality: int, jpeg: bytes = b"jpeg", whole: bytes = b"whole", **fields: Any
) -> Thumbnail:
    """A picture of a frame captured at `when`, with its result."""
    return Thumbnail(result(when, **fields), when, quality, EventPicture(jpeg, whole))
