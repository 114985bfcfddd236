"""Whose frame is computed next: everybody who wants it gets a share of the time, measured in seconds, not in frames.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with the cost charged afterwards: nobody knows beforehand what a
frame costs. Each line has a virtual time, which its seconds divided by its weight push on; the line that is behind the
others is served. One that comes back from a pause starts with the others: time that it did not use is not saved up.

A queue of RabbitMQ hands out its next frame when the last one is acknowledged, some milliseconds after that was
computed. To give the worker to another line in between, and so one heavy frame for each light one, would be no share
at all (deceptive idleness: Iyer and Druschel, 2001). So whoever is ahead of its share waits a moment for those that
were served just now, and the wait costs them what computing costs: nobody keeps the worker by coming back late.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

RETURN_SECONDS = 0.015
"""The shortest wait for a line's next item, from the moment when its last one was settled."""
AS_LONG_AGAIN = 2.0
"""A broker that is far away or busy brings the next item about as late as it confirmed what came of the last one: so
many times as long is waited, where that is more."""
SETTLE_SECONDS = 0.25
"""The longest wait for a frame to be settled: in a broker alarm it may take hours."""
LEAST_WEIGHT = 0.1


@dataclass(slots=True)
class _Line(Generic[Item]):
    weight: float
    due: float = 0.0
    """Virtual time, in seconds per weight."""
    expected: float = float("-inf")
    """Until then its next item is waited for."""
    served: float | None = None
    """The moment when it was served last, if that is not settled yet."""
    items: deque[Item] = field(default_factory=deque)


class FairQueue(Generic[Item]):
    """Items in lines by name. Pure; for one thread. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._weights: Mapping[str, float] = {}
        self._lines: dict[str, _Line[Item]] = {}
        self._reached = 0.0  # the virtual time that the last line was served at
        self._awaited: tuple[_Line[Item], float] | None = None  # whom another line waits for, and since when
        self._patient = True

    def __len__(self) -> int:
        return sum(len(line.items) for line in self._lines.values())

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Divide the time so between these lines. What waits in others is still served."""
        self._weights = weights
        for name, line in list(self._lines.items()):
            line.weight = weights.get(name, LEAST_WEIGHT)
            if name not in weights and not line.items:
                del self._lines[name]

    def put(self, name: str, item: Item) -> None:
        """Let the item wait in that line."""
        self._awake(name).items.append(item)

    def returned(self, name: str) -> None:
        """Hear that an item of that line is settled: its next one may come now."""
        line, now = self._awake(name), self._clock()
        took = 0.0 if line.served is None else now - line.served
        line.served = None
        line.expected = now + min(SETTLE_SECONDS, max(RETURN_SECONDS, AS_LONG_AGAIN * took))

    def charge(self, name: str, seconds: float) -> None:
        """Hear what serving that line has cost; its next item cannot come before this one is settled."""
        line = self._awake(name)
        line.due += seconds / line.weight
        line.served = self._clock()
        line.expected = line.served + SETTLE_SECONDS

    def hurry(self) -> None:
        """Wait for nobody any more: nothing more will come."""
        self._patient = False

    def take(self, most: int = 1, alone: Callable[[Item], bool] = lambda item: False) -> list[Item]:
        """Take what is to be served now, together at most so many items of one line; those `alone` only singly.

        Nothing, if no item is there, or if whoever is there is to wait for `patience` seconds.
        """
        now = self._clock()
        self._charge_waiting(now)
        first = self._first()
        if first is None:
            return []
        awaited = self._worth_waiting(first, now)
        if awaited is not None:
            self._awaited = awaited, now
            return []
        self._reached = max(self._reached, first.due)
        items = first.items
        taken = [items.popleft()]
        while items and len(taken) < most and not alone(taken[0]) and not alone(items[0]):
            taken.append(items.popleft())
        return taken

    def patience(self) -> float | None:
        """Seconds until `take` may give something although nothing new is heard; None: only if something is."""
        if self._awaited is None:
            return None
        line, _ = self._awaited
        return max(0.0, line.expected - self._clock())

    def _awake(self, name: str) -> _Line[Item]:
        """The line; after a pause it starts where the others are."""
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = _Line(self._weights.get(name, LEAST_WEIGHT))
        if not line.items and line.expected <= self._clock():
            line.due = max(line.due, self._reached)
        return line

    def _first(self) -> _Line[Item] | None:
        waiting = [line for line in self._lines.values() if line.items]
        return min(waiting, key=lambda line: line.due) if waiting else None

    def _worth_waiting(self, first: _Line[Item], now: float) -> _Line[Item] | None:
        """The line that is served before `first`, if its item comes in time."""
        if not self._patient or len(self._lines) == 1:
            return None
        behind = [
            line
            for line in self._lines.values()
            if not line.items and line.expected > now and line.due < first.due
        ]
        return min(behind, key=lambda line: line.due) if behind else None

    def _charge_waiting(self, now: float) -> None:
        if self._awaited is not None:
            line, since = self._awaited
            line.due += (now - since) / line.weight
            self._awaited = None
