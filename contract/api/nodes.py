"""Workers as the gateway knows them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class NodeView:
    node_id: str
    state: Literal["running", "draining", "lost", "unknown"]
    """`unknown`: the gateway has no broker, or has only just got it back, and does not hear it."""
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


@dataclass(slots=True, frozen=True)
class NodesView:
    items: list[NodeView]
    expected: int | None
