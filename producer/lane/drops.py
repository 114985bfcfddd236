"""The log's word on frames that did not get into a queue."""

import time
from collections import Counter
from typing import Any

from runtime.logs import get_logger

log: Any = get_logger("producer")

REPORT_SECONDS = 30.0  # drops are told at most this often


class Drops:
    """Counts by reason, over all cameras."""

    def __init__(self) -> None:
        self._untold: Counter[str] = Counter()
        self._told_at = float("-inf")

    def add(self, reason: str) -> None:
        """A frame was dropped."""
        self._untold[reason] += 1

    def tell(self) -> None:
        """Log what was not told yet, unless that was done a moment ago."""
        now = time.monotonic()
        if self._untold and now - self._told_at >= REPORT_SECONDS:
            self._told_at = now
            log.warning("frames dropped", reasons=dict(self._untold))
            self._untold.clear()
