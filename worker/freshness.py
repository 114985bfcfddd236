"""Tells how old frames are when they reach this worker, and when to drain a backlog of stale ones quickly."""

import time

from contract.status import ProducerStatus
from contract.task import TaskHead
from runtime.clocks import Age, Clocks

DRAIN_AFTER = 3  # stale frames in a row; one alone is not a backlog
DRAIN_PREFETCH = 32
"""Frames that a worker holds while it drains a backlog: enough for round trips to overlap. When the backlog ends,
one worker holds no more fresh frames than these."""


class Freshness:
    """Ages by the senders' own clocks. Lives on the connection's thread."""

    def __init__(self) -> None:
        self._clocks = Clocks()
        self._stale_in_a_row = 0

    def hear(self, status: ProducerStatus) -> None:
        """A producer says what time it is."""
        self._clocks.hear(status.producer_id, status.time, time.time())

    def age(self, head: TaskHead, clock: str | None, *, backlog: bool) -> Age:
        """Tell the frame's age now by the clock of that name: whose it is, as far as that is known.

        `backlog`: it may have waited since before this worker took frames.
        """
        return self._clocks.age(
            head.timestamp, time.time(), sender=clock, camera_id=head.camera_id, backlog=backlog
        )

    def note(self, stale: bool) -> None:
        """A frame has come, stale or not."""
        self._stale_in_a_row = self._stale_in_a_row + 1 if stale else 0

    def prefetch(self, normal: int) -> int:
        """Choose how many frames to hold: more while nothing but stale frames comes."""
        return max(normal, DRAIN_PREFETCH) if self._stale_in_a_row >= DRAIN_AFTER else normal
