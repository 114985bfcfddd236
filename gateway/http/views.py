"""The answers of the API, as OpenAPI documents them. Times in Unix seconds, durations in seconds."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, WithJsonSchema

from contract.status import CameraState

Source = Literal["prometheus", "gateway"]
# Written out: not every reader of OpenAPI knows how JSON Schema describes a tuple.
_PAIR = {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2}
Point = Annotated[tuple[float, float | None], WithJsonSchema(_PAIR)]
"""A time and a value, None where nothing is known."""


@dataclass(slots=True, frozen=True)
class StatusView:
    """`status` in a word; `missing` names what the gateway lacks to do its work."""

    status: str
    missing: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class SignedInView:
    role: Literal["viewer", "operator"]


@dataclass(slots=True, frozen=True)
class SessionView:
    """Who asks: `name` is that of the token, `expires` the end of a browser's session."""

    role: Literal["viewer", "operator"]
    name: str | None
    expires: float | None
    version: str


@dataclass(slots=True, frozen=True)
class CameraView:
    """`name` to `district` as its operator wrote them down. `still`: its last picture shows what there is now.

    `fps` is that of its results, `latency` that of the last one, from capture to result. With `fields`, only
    those and `camera_id`.
    """

    __pydantic_config__: ClassVar = ConfigDict(
        json_schema_extra=lambda schema: schema.update(required=["camera_id"])
    )

    camera_id: str
    state: CameraState
    reason: str | None
    since: float
    name: str | None = None
    group: str | None = None
    location: str | None = None
    district: str | None = None
    still: bool = False
    fps: float | None = None
    last_result: float | None = None
    faces: int | None = None
    latency: float | None = None
    width: int | None = None
    height: int | None = None
    producer_id: str | None = None


@dataclass(slots=True, frozen=True)
class CamerasView:
    total: int
    next: str | None
    items: list[CameraView]


@dataclass(slots=True, frozen=True)
class NodeView:
    node_id: str
    state: Literal["running", "draining", "lost"]
    lane: str
    model: str
    detector: str
    fallback: str | None
    fps: float
    busy: float
    prefetch: int
    since: float
    last_seen: float
    desired: int
    """Revision of the desired models that it acts on; 0: it has heard of none."""
    model_error: str | None
    """Why it does not compute with them."""
    settled: bool


@dataclass(slots=True, frozen=True)
class NodesView:
    items: list[NodeView]
    expected: int | None


@dataclass(slots=True, frozen=True)
class ModelView:
    """A model that live nodes know. `states` and `errors` by node; several digests under one name are a conflict."""

    name: str
    task: str
    licence: str | None
    digests: list[str]
    conflict: bool
    loaded: int
    states: dict[str, str]
    errors: dict[str, str]


@dataclass(slots=True, frozen=True)
class DesiredModelsView:
    """What operators want; revision 0: nothing so far. A camera goes before its lane, a lane before the cluster."""

    revision: int
    cluster: str | None
    lanes: dict[str, str]
    cameras: dict[str, str]


@dataclass(slots=True, frozen=True)
class NodeModelsView:
    """`model` is in use; `wanted` is desired of its lane, null where its own setting decides; `todo` a sentence."""

    node_id: str
    state: Literal["running", "draining", "lost"]
    lane: str
    model: str
    wanted: str | None
    desired: int
    model_error: str | None
    settled: bool
    todo: str | None


@dataclass(slots=True, frozen=True)
class ModelsView:
    """`settled`: every running node computes with what is desired."""

    models: list[ModelView]
    desired: DesiredModelsView
    nodes: list[NodeModelsView]
    settled: bool
    settled_nodes: int
    running_nodes: int


@dataclass(slots=True, frozen=True)
class AlertView:
    name: str
    severity: str
    state: Literal["firing", "pending"]
    summary: str
    since: float | None


@dataclass(slots=True, frozen=True)
class AlertsView:
    items: list[AlertView]
    source: Literal["prometheus", "none"]
    error: str | None = None


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


@dataclass(slots=True, frozen=True)
class HistoryView:
    """Figures over time: `[time, value]`, value null where nothing is known."""

    step: float
    source: Source
    series: dict[str, list[Point]]


@dataclass(slots=True, frozen=True)
class DeathView:
    queue: str
    reason: str
    count: int
    time: float | None


@dataclass(slots=True, frozen=True)
class DeadLetterView:
    """A frame that could not be computed. `deaths` is RabbitMQ's own word, where it gave up itself."""

    dead_letter_id: str
    reason: str
    error: str | None
    origin: str | None
    node_id: str | None
    time: float | None
    attempts: int | None
    camera_id: str | None
    frame_id: str | None
    timestamp: float | None
    content_type: str | None
    size: int
    deaths: list[DeathView]


@dataclass(slots=True, frozen=True)
class DeadLettersView:
    """`complete` is false where the queue was too much for one look; `time` is when that was."""

    total: int
    matching: int
    complete: bool
    time: float
    next: str | None
    items: list[DeadLetterView]


@dataclass(slots=True, frozen=True)
class PrometheusView:
    """Prometheus' own answer; `data` depends on what was asked."""

    status: Literal["success", "error"]
    data: Any = None
    errorType: str = ""
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class ProblemView:
    """What every error looks like (the shape that Prometheus gives its own)."""

    status: Literal["error"]
    errorType: str
    error: str
