"""What the gateway itself knows of the last quarter of an hour. Pure: a ring of one-second buckets.

Serves the cards until Prometheus answers, and when there is none. Every figure is what Prometheus computes under that
name (gateway/prometheus/promql.py, docs/dashboard.md): of the same frames, over the same window, by the same edges.
"""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile
from operator import attrgetter

from contract.api.figures import LatencyView, Point
from contract.buckets import AGE_BUCKETS, STAGE_BUCKETS
from contract.result import Result
from gateway.histogram import added, bucket_of, no_counts, quantile
from gateway.model_costs import ModelCosts

KEPT_SECONDS = 3600
WINDOW_SECONDS = 60
RATE_SECONDS = 9
"""The rate is shown as now: it is that of so many whole seconds, and nothing older than ten is in it."""
DEPTH_SECONDS = 10
"""So long the depth of the queue is what it was when it was told last."""
CLOCK_STEP_SECONDS = 2
STARTING_SECONDS = 180
"""After so long a system without a result is not starting: something is wrong."""
SETTLED_SECONDS = WINDOW_SECONDS + 15
"""So long after the first result nothing from before it is in the figures, nor in Prometheus' of the last minute."""
MAX_LATENCY = 3600.0  # beyond, a clock is wrong, and one such frame must not spoil the mean for a minute


@dataclass(slots=True)
class _Second:
    time: int
    computed: int = 0
    expired: int = 0
    failed: int = 0
    dropped: int = 0
    aged: int = 0  # of those that were computed, the ones whose age counts
    age: float = 0.0
    ages: "array[int]" = field(default_factory=lambda: no_counts(AGE_BUCKETS))
    depth: int | None = None
    nodes: dict[str, "array[int]"] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Figures:
    """Rates per second, durations in seconds; None where nothing is known."""

    rate: float | None
    mean: float | None
    latency: LatencyView
    not_computed: float | None
    errors: float | None
    depth: int | None
    node_p95: dict[str, float | None]


class Statistics:
    """Counts results by the second of their arrival. `wall` is Unix time."""

    def __init__(self, wall: float) -> None:
        self._begin = wall
        self._started = wall
        self._first: float | None = None  # when the first frame was computed
        self._seconds: deque[_Second] = deque(maxlen=KEPT_SECONDS)
        self.costs = ModelCosts()

    def result(self, result: Result, wall: float, age: float, *, of_sender: bool = False) -> None:
        """A result, computed or expired, of a frame of that age.

        What a sender with a name lets wait or expire in its own queue is its own affair.
        """
        second = self._second(wall)
        if result.status == "expired":
            second.expired += not of_sender
            return
        if self._first is None:
            self._first = wall
        self.costs.computed(result)
        second.computed += 1
        if not of_sender:
            age = min(MAX_LATENCY, age)
            second.aged += 1
            second.age += age
            second.ages[bucket_of(AGE_BUCKETS, age)] += 1
        processing = second.nodes.setdefault(result.node_id, no_counts(STAGE_BUCKETS))
        processing[bucket_of(STAGE_BUCKETS, result.processing_seconds)] += 1

    def failed(self, count: int, wall: float) -> None:
        """Frames that failed, as heartbeats tell."""
        if count:
            self._second(wall).failed += count

    def dropped(self, count: int, wall: float) -> None:
        """Frames that their producers gave up, as heartbeats tell."""
        if count:
            self._second(wall).dropped += count

    def depth(self, frames: int | None, wall: float) -> None:
        """How many frames wait; None if unknown."""
        self._second(wall).depth = frames

    def starting(self, wall: float) -> bool:
        """Whether what is missing is due to the start: frames that came before the workers were there, above all."""
        if not 0 <= wall - self._started < STARTING_SECONDS:
            return False
        return self._first is None or wall - self._first < SETTLED_SECONDS

    def figures(self, wall: float) -> Figures:
        """Over the last minute, or as long as there is something to tell; the rate over the last ten seconds."""
        span = min(float(WINDOW_SECONDS), wall - self._begin)
        seconds = [s for s in self._seconds if wall - WINDOW_SECONDS < s.time <= wall]
        end = int(wall)
        recent = sum(s.computed for s in seconds if end - RATE_SECONDS <= s.time < end)
        covered = min(float(RATE_SECONDS), end - self._begin)
        total = _Sum()
        nodes: dict[str, array[int]] = {}
        for second in seconds:
            total.add(second)
            for node_id, bins in second.nodes.items():
                nodes[node_id] = added(nodes.get(node_id), bins)
        p95 = {name: quantile(STAGE_BUCKETS, bins, 0.95) for name, bins in nodes.items()}
        figures = total.figures(span, _depth(reversed(seconds), wall), p95)
        return replace(figures, rate=recent / covered if covered >= 1 else None)

    def series(self, length: int, step: int, wall: float) -> dict[str, list[Point]]:
        """The last `length` seconds in steps: each point is of the minute before it, and the depth as it was then."""
        end = int(wall) // step * step
        kept = list(self._seconds)
        first = end - length // step * step
        low = high = bisect_right(kept, first - WINDOW_SECONDS, key=attrgetter("time"))
        minute = _Sum()
        names = ("processingRate", "latencyP50", "latencyP95", "queueDepth", "notComputed", "errors")
        series: dict[str, list[Point]] = {name: [] for name in names}
        for time in range(first, end + 1, step):
            while high < len(kept) and kept[high].time <= time:
                minute.add(kept[high])
                high += 1
            while low < high and kept[low].time <= time - WINDOW_SECONDS:
                minute.add(kept[low], -1)
                low += 1
            depth = _depth((kept[each] for each in range(high - 1, low - 1, -1)), time)
            figures = minute.figures(min(float(WINDOW_SECONDS), time - self._begin), depth, {})
            values = (
                figures.rate,
                figures.latency.p50,
                figures.latency.p95,
                figures.depth,
                figures.not_computed,
                figures.errors,
            )
            for name, value in zip(names, values, strict=True):
                series[name].append((float(time), value))
        return series

    def whole(self, wall: float) -> bool:
        """Whether it has listened for all of the last minute."""
        return wall - self._begin >= WINDOW_SECONDS

    def _second(self, wall: float) -> _Second:
        time = int(wall)
        if self._seconds and self._seconds[-1].time - time > CLOCK_STEP_SECONDS:
            self._seconds.clear()  # the machine's clock was set back: start again rather than count into the future
            self._begin = wall
        if self._seconds and self._seconds[-1].time >= time:
            return self._seconds[-1]
        second = _Second(time)
        self._seconds.append(second)
        return second


class _Sum:
    """The sum of some seconds, each added once and taken away once: a minute that moves on."""

    def __init__(self) -> None:
        self.computed = self.lost = self.failed = self.aged = 0
        self.age = 0.0
        self.ages = no_counts(AGE_BUCKETS)

    def add(self, second: _Second, times: int = 1) -> None:
        """Add a second; with -1, take it away."""
        self.computed += times * second.computed
        self.failed += times * second.failed
        self.lost += times * (second.failed + second.expired + second.dropped)
        if second.aged:
            self.aged += times * second.aged
            self.age += times * second.age
            for bucket, count in enumerate(second.ages):
                if count:
                    self.ages[bucket] += times * count

    def figures(self, span: float, depth: int | None, node_p95: dict[str, float | None]) -> Figures:
        """What follows from it; `span` is how many seconds were listened to."""
        ages = (quantile(AGE_BUCKETS, self.ages, share) for share in (0.5, 0.95, 0.99))
        met = self.computed + self.lost
        return Figures(
            rate=self.computed / span if span >= 1 else None,
            mean=self.age / self.aged if self.aged else None,
            latency=LatencyView(*ages),
            not_computed=self.lost / met if met else None,
            errors=self.failed / span if span >= 1 else None,
            depth=depth,
            node_p95=node_p95,
        )


def _depth(seconds: Iterable[_Second], end: float) -> int | None:
    """How many frames waited then; `seconds`: the last first."""
    near = takewhile(lambda each: each.time > end - DEPTH_SECONDS, seconds)
    return next((each.depth for each in near if each.depth is not None), None)
