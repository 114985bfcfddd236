"""Remembers what was found in pictures: exactly the same bytes need no second look by the same model."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from worker.detection import Detections

Key = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """The detections of a picture of `width` x `height` pixels."""

    found: Detections
    width: int
    height: int


class ResultCache:
    """Keeps at most `entries` findings; the one unused for longest goes first. Belongs to the inference thread.

    SHA-256 over the bytes: whoever sends pictures must not be able to make two that are taken for one.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._seen: OrderedDict[Key, Finding] = OrderedDict()

    def key(self, image: bytes, model: str) -> Key:
        """The key of a picture's detections by that model (with its digest)."""
        return hashlib.sha256(image).digest(), model

    def get(self, key: Key) -> Finding | None:
        """The finding, if it is still known."""
        seen = self._seen.get(key)
        if seen is not None:
            self._seen.move_to_end(key)
        return seen

    def put(self, key: Key, seen: Finding) -> None:
        """Keep a finding."""
        self._seen[key] = seen
        if len(self._seen) > self._entries:
            self._seen.popitem(last=False)
