"""The nearest level: this process's memory."""

import time
from collections.abc import Callable

from cachetools import TLRUCache

OVERHEAD = 300
"""Bytes that an entry takes beside its value: so the bound of bytes bounds the number of entries too."""
SHARE = 16
"""A value may take one in so many of the bytes: one large result does not push out all others."""


class MemoryLevel:
    """Bytes by key, the least recently used go first; at most `most_bytes`, for at most `ttl` seconds."""

    name = "memory"

    def __init__(self, most_bytes: int, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_bytes
        self._kept: TLRUCache[bytes, bytes] = TLRUCache(
            maxsize=most_bytes,
            ttu=lambda key, value, now: now + ttl,
            timer=clock,
            getsizeof=lambda value: len(value) + OVERHEAD,
        )

    def get(self, key: bytes) -> bytes | None:
        return self._kept.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        if len(value) + OVERHEAD <= self._most // SHARE:
            self._kept[key] = value

    def close(self) -> None:
        self._kept.clear()
