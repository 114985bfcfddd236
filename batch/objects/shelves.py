"""Objects on two shelves: hot, where each is put, and cold, where it lies once it is seldom asked for. A rule of the
bucket can give `cold/` a cheaper class. Whoever asks for an object need not know on which shelf it is.

An object is copied to the cold shelf before it is gone from the hot one, and nothing comes back: who looks on the
hot shelf first finds it, whatever is moved or killed meanwhile.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from batch.objects.store import MovingStore, NoSuchObject

HOT, COLD = "hot/", "cold/"


class ShelvedObjects:
    """The store of objects `store`, with shelves."""

    def __init__(self, store: MovingStore) -> None:
        self._store = store

    def put(self, name: str, file: Path) -> None:
        """Keep what the file holds, on the hot shelf; the file is gone afterwards."""
        self._store.put(HOT + name, file)

    def get(self, name: str) -> bytes:
        """The object. Raises NoSuchObject."""
        with suppress(NoSuchObject):
            return self._store.get(HOT + name)
        return self._store.get(COLD + name)

    def names(self, prefix: str) -> list[str]:
        """The names that begin with that, sorted."""
        found = {
            name.removeprefix(shelf) for shelf in (HOT, COLD) for name in self._store.names(shelf + prefix)
        }
        return sorted(found)

    def delete(self, prefix: str) -> None:
        """Delete all whose names begin with that."""
        for shelf in (HOT, COLD):
            self._store.delete(shelf + prefix)

    def cool(self, prefix: str, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Move all whose names begin with that to the cold shelf; returns False if it was `stopped` before the end.

        Done again it goes on where it was stopped.
        """
        for name in self._store.names(HOT + prefix):
            if stopped():
                return False
            with suppress(NoSuchObject):  # another one has moved it
                self._store.move(name, COLD + name.removeprefix(HOT))
        return True
