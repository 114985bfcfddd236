"""Workers, producers and gateways as the gateway that answers knows them."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, frozen=True)
class DrainView:
    """Since when an operator wants the worker out of work, and the name of the token that asked for it."""

    since: float
    by: str | None


@dataclass(slots=True, frozen=True)
class NodeView:
    node_id: str
    state: Literal["running", "draining", "drained", "lost", "unknown"]
    """`draining`: it finishes what it has and takes no more; `drained`: an operator put it out of work, and it holds
    nothing; `unknown`: the gateway has no broker, or has only just got it back, and does not hear it."""
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
    """The revision of the desired models that it acts on; 0 if it has heard of none."""
    model_error: str | None
    """The reason why it does not compute with them."""
    settled: bool
    drain: DrainView | None
    """What is desired; `state` tells how far it is with that. Null: it should work."""
    version: str
    host: str
    memory: int | None
    """Bytes that its process has in memory."""


@dataclass(slots=True, frozen=True)
class RemainderView:
    """What a lane has without one of its workers: `workers` that take frames, the frames a second that they could
    compute if they were always busy (`capacity`, from their last half minute; null: not known), and those that the lane
    computes now, with that worker (`load`).
    """

    workers: int
    capacity: float | None
    load: float


@dataclass(slots=True, frozen=True)
class WorkerView(NodeView):
    """A worker in full. `p95`: seconds of computing that 95 % of its frames of the last minute stayed below. `lacks`
    says in sentences what keeps it from its best; `without` what draining it would leave.
    """

    p95: float | None
    lacks: list[str]
    without: RemainderView


@dataclass(slots=True, frozen=True)
class ProducerView:
    """A producer. `fps`: its frames that the broker confirmed, a second; null until two heartbeats were heard."""

    producer_id: str
    state: Literal["running", "lost", "unknown"]
    cameras: int
    fps: float | None
    outstanding: int
    window: int
    since: float
    last_seen: float
    version: str
    host: str
    memory: int | None


@dataclass(slots=True, frozen=True)
class GatewayView:
    """A gateway; `own`: the one that answers, of which alone is known what it lacks. Null: its version does not say."""

    gateway_id: str
    own: bool
    state: Literal["running", "lost", "unknown"]
    since: float | None
    last_seen: float
    version: str | None
    host: str
    memory: int | None
    missing: list[str]


@dataclass(slots=True, frozen=True)
class AbsentDrainView:
    """A worker that is to stay out of work and is not there: it will take no frames if it comes back."""

    node_id: str
    since: float
    by: str | None


@dataclass(slots=True, frozen=True)
class NodesView:
    """Everybody at work, by id. `expected` workers is GATEWAY_EXPECTED_WORKERS."""

    items: list[WorkerView]
    expected: int | None
    producers: list[ProducerView] = field(default_factory=list)
    gateways: list[GatewayView] = field(default_factory=list)
    absent: list[AbsentDrainView] = field(default_factory=list)
