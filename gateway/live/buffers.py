"""Results that wait for a client: every one in order, or the newest of each camera. Bounded, pure and synchronous."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Protocol

from gateway.live.update import Update

MAX_UNREAD = 10_000
MAX_UNREAD_BYTES = 32 * 1024 * 1024
"""What may wait for a client that gets every result, before it is told that it does not keep up."""


class Buffer(Protocol):
    """Results that wait to be sent. `overrun`: some that must not be missed did not fit, and nothing waits any more."""

    overrun: bool

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Update]: ...

    def add(self, update: Update) -> None:
        """Let one more result wait."""

    def take(self, limit: int) -> list[Update]:
        """Hand out about `limit` results, which no longer wait."""

    def forget(self, camera_id: str) -> None:
        """Drop what waits of this camera."""

    def keep(self, wanted: Callable[[Update], bool]) -> None:
        """Forget what is not wanted."""


class InOrder:
    """Every result, in the order of arrival."""

    __slots__ = ("_bytes", "_waiting", "overrun")

    def __init__(self) -> None:
        self.overrun = False
        self._waiting: deque[Update] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Update]:
        return iter(self._waiting)

    def add(self, update: Update) -> None:
        self._waiting.append(update)
        self._bytes += len(update.body)
        if self.overrun or len(self._waiting) > MAX_UNREAD or self._bytes > MAX_UNREAD_BYTES:
            self.overrun = True
            self._waiting.clear()
            self._bytes = 0

    def take(self, limit: int) -> list[Update]:
        taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        self._bytes -= sum(len(update.body) for update in taken)
        return taken

    def forget(self, camera_id: str) -> None:
        self.keep(lambda update: update.camera_id != camera_id)

    def keep(self, wanted: Callable[[Update], bool]) -> None:
        self._waiting = deque(filter(wanted, self._waiting))
        self._bytes = sum(len(update.body) for update in self._waiting)


class Newest:
    """At most `depth` results of a camera, the newest; the camera that waited longest comes first."""

    __slots__ = ("_depth", "_of", "overrun")

    def __init__(self, depth: int) -> None:
        self.overrun = False
        self._depth = depth
        self._of: OrderedDict[str, deque[Update]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def __iter__(self) -> Iterator[Update]:
        return (update for waiting in self._of.values() for update in waiting)

    def add(self, update: Update) -> None:
        """Let a result wait in the camera's old place, if it had one."""
        waiting = self._of.get(update.camera_id)
        if waiting is None:
            self._of[update.camera_id] = deque((update,), maxlen=self._depth)
        else:
            waiting.append(update)

    def take(self, limit: int) -> list[Update]:
        """Hand out whole cameras."""
        taken: list[Update] = []
        while self._of and len(taken) < limit:
            taken.extend(self._of.popitem(last=False)[1])
        return taken

    def forget(self, camera_id: str) -> None:
        self._of.pop(camera_id, None)

    def keep(self, wanted: Callable[[Update], bool]) -> None:
        """Forget what is not wanted."""
        kept = [update for update in self if wanted(update)]
        self._of.clear()
        for update in kept:
            self.add(update)
