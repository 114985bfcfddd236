"""What was said of pictures, for all workers with the same Redis: what one has paid for, no other pays for again.

Whatever that Redis does, it costs a miss and nothing else: the books are what a call needs, this is not.
"""

import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from runtime.redis_level import RemoteLevel, redis_level
from worker.detection.detections import Detections
from worker.remote.answer import MAX_DESCRIPTION, MAX_LABEL, MAX_OBJECTS
from worker.remote.cache import Key
from worker.remote.frame import Opinion

if TYPE_CHECKING:
    from worker.settings import WorkerSettings

TTL_SECONDS = 7 * 86_400.0
THREADS = 32
"""As many as ask at once: those of the event loop's executor."""
VERSION = b"opinion-1"

Box = Annotated[list[float], Meta(min_length=4, max_length=4)]
Label = Annotated[str, Meta(max_length=MAX_LABEL)]


class _Kept(Struct, frozen=True):
    """An opinion as JSON; boxes in pixels of the frame."""

    boxes: Annotated[list[Box], Meta(max_length=MAX_OBJECTS)]
    confidence: Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(max_length=MAX_OBJECTS)]
    labels: Annotated[list[Label], Meta(max_length=MAX_OBJECTS)]
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
    width: Annotated[int, Meta(gt=0)]
    height: Annotated[int, Meta(gt=0)]

    def __post_init__(self) -> None:
        if not len(self.boxes) == len(self.confidence) == len(self.labels):
            raise ValueError("as many boxes as labels")


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Kept).decode


class SharedOpinions:
    """Opinions by key in a Redis. Blocks for a quarter of a second at most: ask it in a thread.

    `recipe` is whatever beside the picture and the words changes an answer: how the picture is prepared.
    """

    def __init__(self, level: RemoteLevel, recipe: str) -> None:
        self._level = level
        self._recipe = recipe

    def get(self, key: Key) -> Opinion | None:
        """What is known of that picture."""
        value = self._level.get(self._name(key))
        if value is None:
            return None
        try:
            kept = _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        boxes = np.array(kept.boxes, np.float32).reshape(-1, 4)
        found = Detections(boxes, np.array(kept.confidence, np.float32), tuple(kept.labels))
        return Opinion(found.clipped(kept.width, kept.height), kept.description, kept.width, kept.height)

    def put(self, key: Key, opinion: Opinion) -> None:
        """Keep it for a week."""
        found = opinion.found
        kept = _Kept(
            found.boxes.tolist(),
            [min(1.0, max(0.0, each)) for each in found.confidence.tolist()],
            list(found.labels),
            opinion.description,
            opinion.width,
            opinion.height,
        )
        self._level.put(self._name(key), _encode(kept))

    def close(self) -> None:
        """Close its connections."""
        self._level.close()

    def _name(self, key: Key) -> bytes:
        content, model = key
        digest = hashlib.sha256(VERSION)
        for part in (content, model.encode(), self._recipe.encode()):
            digest.update(len(part).to_bytes(4))
            digest.update(part)
        return digest.digest()


def shared_opinions(settings: "WorkerSettings", url: str) -> SharedOpinions:
    """Those of all workers that ask this endpoint in this way."""
    recipe = f"{settings.remote_url} {settings.remote_max_side} {settings.remote_blur}"
    return SharedOpinions(redis_level(url, TTL_SECONDS, connections=THREADS), recipe)
