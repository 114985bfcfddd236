"""What the gateway missed while it was away from the broker, and whether that can still be had here."""

import time
from collections.abc import Callable

from broker import QueueDepth
from contract.topology import RESULT_QUEUE

KNOWN_SECONDS = 4.0
"""So long after a reconnect it is known who else consumes."""


class Absence:
    """Calls `on_missed` when results of such a time went to other gateways as well, which consume the same queue."""

    def __init__(self, depth: QueueDepth, on_missed: Callable[[], None]) -> None:
        self._depth = depth
        self._on_missed = on_missed
        self._away = False
        self._judged_at = float("inf")

    def begin(self) -> None:
        """Note that results no longer arrive."""
        self._away = True

    def end(self, _queue: str) -> None:
        """Note that results arrive again, on a new queue."""
        if self._away:
            self._away = False
            self._judged_at = time.monotonic() + KNOWN_SECONDS

    def tick(self, now: float) -> None:
        """Judge the absence once it is known who else consumes."""
        if now >= self._judged_at:
            self._judged_at = float("inf")
            if self._depth.consumers.get(RESULT_QUEUE, 0) > 1:
                self._on_missed()
