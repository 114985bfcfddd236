"""Several levels as one: the nearest that knows answers, and those before it learn."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct


class CacheLevel(Protocol):
    """Somewhere that bytes are kept by key, within bounds. What fails there is a miss, and never an exception."""

    name: str

    def get(self, key: bytes) -> bytes | None:
        """What was kept, if it still is."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keep it, perhaps."""

    def close(self) -> None:
        """Let go of files and connections."""


class CacheCounts(Struct):
    """How often was asked, and which level knew, by its name; `damaged` are values that could not be read."""

    asked: int = 0
    known: dict[str, int] = {}
    damaged: dict[str, int] = {}

    @property
    def hits(self) -> int:
        """How much of it was known."""
        return sum(self.known.values())

    @property
    def hit_share(self) -> float:
        """The share, 0-1, of what was asked that was known."""
        return self.hits / self.asked if self.asked else 0.0


Read = TypeVar("Read")


class CacheLevels:
    """The levels, nearest first. Used by one thread at a time."""

    def __init__(self, levels: Sequence[CacheLevel]) -> None:
        self._levels = levels
        self.counts = CacheCounts()

    def get(self, key: bytes, read: Callable[[bytes], Read]) -> Read | None:
        """What the nearest level knows, as `read` reads it; a value at which that raises ValueError is none."""
        self.counts.asked += 1
        for depth, level in enumerate(self._levels):
            value = level.get(key)
            if value is None:
                continue
            try:
                found = read(value)
            except ValueError:
                _count(self.counts.damaged, level.name)
                continue
            _count(self.counts.known, level.name)
            for nearer in self._levels[:depth]:
                nearer.put(key, value)
            return found
        return None

    def put(self, key: bytes, value: bytes) -> None:
        """Keep it in every level."""
        for level in self._levels:
            level.put(key, value)

    def close(self) -> None:
        """Close every level."""
        for level in self._levels:
            level.close()


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
