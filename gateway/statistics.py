"""What the gateway itself knows of the last quarter of an hour. Pure: a ring of one-second buckets.

Serves the cards until Prometheus answers, and when there is none. Percentiles come from logarithmic bins, 8 % apart.
"""

import math
from array import array
from collections import deque
from dataclasses import dataclass, field, replace

from contract.api.figures import LatencyView, Point
from contract.result import Result
from gateway.model_costs import ModelCosts

KEPT_SECONDS = 3600
WINDOW_SECONDS = 60
RATE_SECONDS = 9
"""The rate is shown as now: it is that of so many whole seconds, and nothing older than ten is in it."""
CLOCK_STEP_SECONDS = 2
STARTING_SECONDS = 180
"""After so long a system without a result is not starting: something is wrong."""
SETTLED_SECONDS = WINDOW_SECONDS + 15
"""So long after the first result nothing from before it is in the figures, nor in Prometheus' of the last minute."""
MAX_LATENCY = 3600.0  # beyond, a clock is wrong, and one such frame must not spoil the mean for a minute
FIRST_BIN = 0.001
RATIO = 1.08
BINS = 160  # 1 ms to 220 s


def _bins() -> "array[int]":
    return array("I", bytes(4 * BINS))


def bin_of(seconds: float) -> int:
    """The bin of a duration."""
    if not seconds > FIRST_BIN:
        return 0
    return min(BINS - 1, 1 + int(math.log(seconds / FIRST_BIN) / math.log(RATIO)))


def quantile(bins: "array[int]", share: float) -> float | None:
    """The duration below which `share` of the observations lie; None without any."""
    total = sum(bins)
    if total == 0:
        return None
    rank = share * total
    seen = 0
    for index, count in enumerate(bins):
        if count and seen + count >= rank:
            low = 0.0 if index == 0 else FIRST_BIN * RATIO ** (index - 1)
            high = FIRST_BIN * RATIO**index
            return low + (high - low) * max(0.0, rank - seen) / count
        seen += count
    return None


@dataclass(slots=True)
class _Second:
    time: int
    computed: int = 0
    expired: int = 0
    failed: int = 0
    latency: float = 0.0
    bins: "array[int]" = field(default_factory=_bins)
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

    def result(self, result: Result, wall: float) -> None:
        """A result, computed or expired."""
        second = self._second(wall)
        if result.status == "expired":
            second.expired += 1
            return
        if self._first is None:
            self._first = wall
        latency = min(MAX_LATENCY, max(0.0, result.timestamp - result.original_timestamp))
        self.costs.computed(result)
        second.computed += 1
        second.latency += latency
        second.bins[bin_of(latency)] += 1
        second.nodes.setdefault(result.node_id, _bins())[bin_of(result.processing_seconds)] += 1

    def failed(self, count: int, wall: float) -> None:
        """Frames that failed, as heartbeats tell."""
        if count:
            self._second(wall).failed += count

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
        nodes: dict[str, array[int]] = {}
        for second in seconds:
            for node_id, bins in second.nodes.items():
                nodes[node_id] = _sum(nodes.get(node_id), bins)
        figures = _figures(seconds, span, {n: quantile(bins, 0.95) for n, bins in nodes.items()})
        return replace(figures, rate=recent / covered if covered >= 1 else None)

    def series(self, length: int, step: int, wall: float) -> dict[str, list[Point]]:
        """The last `length` seconds in steps: rate, latency, depth, not computed, errors."""
        end = int(wall) // step * step
        groups: dict[int, list[_Second]] = {}
        for second in self._seconds:
            groups.setdefault(second.time // step * step, []).append(second)
        names = ("processingRate", "latencyP50", "latencyP95", "queueDepth", "notComputed", "errors")
        series: dict[str, list[Point]] = {name: [] for name in names}
        for time in range(end - length // step * step, end, step):
            known = time >= self._begin - step
            figures = _figures(groups.get(time, []), float(step) if known else 0.0, {})
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

    def _second(self, wall: float) -> _Second:
        time = int(wall)
        if self._seconds and self._seconds[-1].time - time > CLOCK_STEP_SECONDS:
            self._seconds.clear()  # the machine's clock was set back: start anew rather than count into the future
            self._begin = wall
        if self._seconds and self._seconds[-1].time >= time:
            return self._seconds[-1]
        second = _Second(time)
        self._seconds.append(second)
        return second


def _figures(seconds: list[_Second], span: float, node_p95: dict[str, float | None]) -> Figures:
    computed = sum(s.computed for s in seconds)
    expired = sum(s.expired for s in seconds)
    failed = sum(s.failed for s in seconds)
    bins = _bins()
    for second in seconds:
        if second.computed:
            bins = _sum(bins, second.bins)
    return Figures(
        rate=computed / span if span >= 1 else None,
        mean=sum(s.latency for s in seconds) / computed if computed else None,
        latency=LatencyView(quantile(bins, 0.5), quantile(bins, 0.95), quantile(bins, 0.99)),
        not_computed=(expired + failed) / (computed + expired + failed)
        if computed + expired + failed
        else None,
        errors=failed / span if span >= 1 else None,
        depth=next((s.depth for s in reversed(seconds) if s.depth is not None), None),
        node_p95=node_p95,
    )


def _sum(a: "array[int] | None", b: "array[int]") -> "array[int]":
    return array("I", b) if a is None else array("I", [x + y for x, y in zip(a, b, strict=True)])
