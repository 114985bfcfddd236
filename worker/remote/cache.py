"""Remembers what was said of pictures: the same bytes, asked the same of the same model, are not paid for twice."""

import hashlib
from collections import OrderedDict

from worker.remote.frame import Opinion

Key = tuple[bytes, str]


class OpinionCache:
    """Keeps at most `entries`; the one unused for longest goes first. Lives on one event loop."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._known: OrderedDict[Key, Opinion] = OrderedDict()

    def key(self, image: bytes, model: str) -> Key:
        """The key of a picture; `model` names what is asked of it, too (worker.remote.board.RemoteModel)."""
        return hashlib.sha256(image).digest(), model

    def get(self, key: Key) -> Opinion | None:
        """What is known, if it still is."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def put(self, key: Key, opinion: Opinion) -> None:
        """Keep it."""
        if self._entries:
            self._known[key] = opinion
            if len(self._known) > self._entries:
                self._known.popitem(last=False)
