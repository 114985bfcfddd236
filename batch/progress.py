"""How far a job is, as whoever waits for it wants to know."""

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at a moment. `items` are those found so far, `listed` whether that is all of them.

    `rate` is items settled per second over the last half minute; `known` are those of this run that were computed
    before; `note` says what it waits for, if it does.
    """

    job_id: str
    items: int
    listed: bool
    ok: int
    failed: int
    outstanding: int
    retries: int
    rate: float
    seconds: float
    note: str | None = None
    known: int = 0

    @property
    def settled(self) -> int:
        """How many items are done, well or not."""
        return self.ok + self.failed

    @property
    def seconds_left(self) -> float | None:
        """The time that the rest will take at this rate; None while nobody can tell."""
        left = self.items - self.settled
        return left / self.rate if self.listed and self.rate > 0 else None


class Pace:
    """The rate at which a count grows. Pure: times are monotonic seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, now: float, count: int) -> float:
        """Note the count; returns its growth per second lately."""
        self._samples.append((now, count))
        while now - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return (count - before) / (now - since) if now > since else 0.0
