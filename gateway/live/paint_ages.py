"""How old pictures are when dashboards paint them, as dashboards say it: nobody can check that. Pure.

So of each interval one figure is counted, whatever the number of reports: the median of the tokens' medians, each that
of its sessions' medians; of two in the middle the lower. A token that reports nonsense moves it less than the others
differ.
`now` is monotonic seconds.
"""

from collections import defaultdict
from collections.abc import Callable
from statistics import median_low

from gateway.security.holders import Holders, levels

INTERVAL_SECONDS = 2.0
MAX_REPORTS = 1_000
"""Of one session in an interval."""


class PaintAges:
    """Gathers reports of one interval; `observe` is told its figure, in seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._began: float | None = None
        self._reports: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, holders: Holders, age: float, now: float) -> None:
        """Note a report of `age` seconds."""
        if self._began is None:
            self._began = now
        token, session = levels(holders)
        reports = self._reports[token][session]
        if len(reports) < MAX_REPORTS:
            reports.append(age)

    def tick(self, now: float) -> None:
        """Count the interval's figure if it is over; call about once a second."""
        if self._began is None or now - self._began < INTERVAL_SECONDS:
            return
        tokens = [median_low(map(median_low, sessions.values())) for sessions in self._reports.values()]
        self._began = None
        self._reports.clear()
        self._observe(median_low(tokens))
