"""How fast frames come into a lane and leave it, and how long the first one waits. Pure; times are monotonic seconds.

The broker tells how many wait, workers how many they have settled. What came in is the sum of both, whoever sent it;
and the first frame that waits came when that sum was as large as what is settled now. So it needs no clock but one, no
word of the sender's, and no message of a queue in its hands.
"""

from collections import deque
from dataclasses import dataclass

SAMPLE_SECONDS = 2.0
WINDOW_SECONDS = 60.0
LEAST_SECONDS = 10.0
"""A rate over less would be chance."""
KEPT = 1_800
"""Samples: an hour of them."""


@dataclass(frozen=True, slots=True)
class LaneRates:
    """`rate_in` and `rate_out` are frames a second; None where too little is known. `oldest` in seconds: None while
    nothing waits; `at_least`: it was there before the first sample."""

    rate_in: float | None = None
    rate_out: float | None = None
    oldest: float | None = None
    at_least: bool = False


class LaneFlow:
    """Samples of one lane, its queues together."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=KEPT)  # when, came, settled

    def sample(self, now: float, waiting: int, settled: int) -> None:
        """Note how many wait and how many have been settled so far."""
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, waiting + settled, settled))

    def forget(self) -> None:
        """Begin again: for a while nobody told anything."""
        self._samples.clear()

    def flow(self) -> LaneRates:
        """What the samples tell."""
        if not self._samples:
            return LaneRates()
        now, came, settled = self._samples[-1]
        first = next(each for each in self._samples if now - each[0] <= WINDOW_SECONDS)
        span = now - first[0]
        known = span >= LEAST_SECONDS
        oldest, at_least = self._oldest(now, came, settled)
        return LaneRates(
            rate_in=max(0.0, (came - first[1]) / span) if known else None,
            rate_out=max(0.0, (settled - first[2]) / span) if known else None,
            oldest=oldest,
            at_least=at_least,
        )

    def _oldest(self, now: float, came: int, settled: int) -> tuple[float | None, bool]:
        if came <= settled:
            return None, False
        later, after = now, came
        for when, before, _ in reversed(self._samples):
            if before <= settled:  # the first that waits came after this sample
                share = (settled + 1 - before) / max(1, after - before)
                return now - (when + min(1.0, share) * (later - when)), False
            later, after = when, before
        return now - self._samples[0][0], True
