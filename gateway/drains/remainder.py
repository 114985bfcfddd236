"""What a lane has left without one of its workers: the price of draining it, before anybody does. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from contract.api.nodes import NodeView, RemainderView

LEAST_BUSY = 0.02
"""From less a worker's speed cannot be told."""


class NodePace(NamedTuple):
    """A worker's frames a second and busy share, over the last half minute."""

    fps: float
    busy: float

    @property
    def capacity(self) -> float | None:
        """Frames a second if it were always busy; None while it has too little to do to tell."""
        return self.fps / self.busy if self.busy >= LEAST_BUSY and self.fps > 0 else None


def remainder(node: NodeView, nodes: Sequence[NodeView], paces: dict[str, NodePace]) -> RemainderView:
    """What `node`'s lane has without it; workers whose speed nobody knows count as the mean of the others."""
    at_work = [each for each in nodes if each.lane == node.lane and takes_frames(each)]
    remaining = [each for each in at_work if each.node_id != node.node_id]
    known = [own for each in at_work if (own := paces[each.node_id].capacity) is not None]
    mean = sum(known) / len(known) if known else None
    capacity: float | None = None
    if mean is not None or not remaining:
        capacity = sum((paces[each.node_id].capacity or mean or 0.0 for each in remaining), 0.0)
    load = sum(paces[each.node_id].fps for each in at_work)
    return RemainderView(workers=len(remaining), capacity=capacity, load=load)


def takes_frames(node: NodeView) -> bool:
    """Tell whether a worker takes frames and is meant to go on doing so."""
    return node.state == "running" and node.drain is None
