"""The cluster in figures, now and over time."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import WithJsonSchema

Source = Literal["prometheus", "gateway"]
_PAIR = {
    # Written out, because not every reader of OpenAPI knows how JSON Schema describes a tuple.
    "type": "array",
    "items": {"type": ["number", "null"]},
    "minItems": 2,
    "maxItems": 2,
    # The dashboard's generator does.
    "x-items": [{"type": "number"}, {"type": ["number", "null"]}],
}
Point = Annotated[tuple[float, float | None], WithJsonSchema(_PAIR)]
"""A time and a value, None where nothing is known."""


@dataclass(slots=True, frozen=True)
class LatencyView:
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(slots=True, frozen=True)
class NodeFiguresView:
    node_id: str
    fps: float | None
    busy: float | None
    p95: float | None


@dataclass(slots=True, frozen=True)
class SourcesView:
    processingRate: Source
    avgLatency: Source
    queueDepth: Source
    latency: Source
    notComputed: Source
    errors: Source
    nodes: Source


@dataclass(slots=True, frozen=True)
class ObjectivesView:
    """The figures past which a card turns red."""

    latencyP95: float = 0.5
    queueDepth: float = 300
    notComputed: float = 0.01
    errors: float = 0


@dataclass(slots=True, frozen=True)
class PrometheusStateView:
    """Whether Prometheus answers: `error` says why it does not, `since` when that began. Both null: it does."""

    error: str | None
    since: float | None


@dataclass(slots=True, frozen=True)
class MetricsView:
    processingRate: float | None
    avgLatency: float | None
    queueDepth: float | None
    latency: LatencyView
    notComputed: float | None
    errors: float | None
    failedByReason: dict[str, float]
    nodes: list[NodeFiguresView]
    workers: int
    starting: bool
    source: SourcesView
    time: float
    objectives: ObjectivesView = field(default_factory=ObjectivesView)
    notices: list[str] = field(default_factory=list)
    """What an operator should know, in sentences that say what to do."""
    canary: str | None = None
    """What is wrong while workers answer and do not find the faces of test pictures, and what to do."""
    prometheus: PrometheusStateView | None = None
    """Whether Prometheus answers, without which no alert is known; null: none is set up."""


@dataclass(slots=True, frozen=True)
class HistoryView:
    """Figures over time: `[time, value]`, value null where nothing is known."""

    step: float
    source: Source
    series: dict[str, list[Point]]
    queries: dict[str, str]
    """The PromQL that answers for each of the series, for charts of any other range."""
