"""What was found in pictures that came before: exactly the same bytes need no second look by the same model."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from worker.detection import Detections

Key = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a picture of `width` x `height` pixels."""

    found: Detections
    width: int
    height: int


class ResultCache:
    """At most `entries` pictures, the one unused for longest going first. Belongs to the inference thread.

    SHA-256 over the bytes: whoever sends pictures must not be able to make two that are taken for one.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._seen: OrderedDict[Key, Finding] = OrderedDict()

    def key(self, image: bytes, model: str) -> Key:
        """Under which a picture's detections by that model (with its digest) are kept."""
        return hashlib.sha256(image).digest(), model

    def get(self, key: Key) -> Finding | None:
        """What was found, if it is still known."""
        seen = self._seen.get(key)
        if seen is not None:
            self._seen.move_to_end(key)
        return seen

    def put(self, key: Key, seen: Finding) -> None:
        """Keep what was found."""
        self._seen[key] = seen
        if len(self._seen) > self._entries:
            self._seen.popitem(last=False)
