"""Nodes as their heartbeats show them. Pure: time is an argument, monotonic `now` and Unix `wall`."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from contract.api.nodes import DrainView, NodeView
from contract.drains import NodeDrain
from contract.status import LOST_AFTER_SECONDS, NodeStatus
from contract.topology import Lane
from gateway.hearing import UNBROKEN, Hearing

FORGET_AFTER_SECONDS = 300.0
MAX_NODES = 10_000
PACE_HEARTBEATS = 15
"""Half a minute of them: what a worker does in two seconds says little of what it can do."""


@dataclass(slots=True)
class _Node:
    status: NodeStatus
    heard: float  # monotonic: a node's own clock may be wrong
    heard_wall: float
    lately: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=PACE_HEARTBEATS))
    """Its frames a second and busy shares."""


class Nodes:
    """All nodes that were heard of in the last five minutes. A node that says goodbye is forgotten at once.

    `hearing`: whether a silence is theirs or the gateway's own.
    """

    def __init__(self, hearing: Hearing = UNBROKEN) -> None:
        self._hearing = hearing
        self._nodes: dict[str, _Node] = {}
        self.revision = 0
        """Of the desired models: what a settled node reports."""
        self.drains: Mapping[str, NodeDrain] = {}
        """The workers that operators want out of work."""

    def heard(self, status: NodeStatus, now: float, wall: float) -> int:
        """Take a heartbeat; returns how many frames failed on that node since the last one."""
        known = self._nodes.pop(status.node_id, None)
        failed = (
            max(0, status.failed - known.status.failed) if known and known.status.since == status.since else 0
        )
        if status.state == "stopped":
            return failed
        if len(self._nodes) >= MAX_NODES:
            del self._nodes[next(iter(self._nodes))]  # the one that was silent longest
        self._nodes[status.node_id] = node = _Node(status, now, wall)
        if known is not None and known.status.since == status.since:
            node.lately = known.lately
        if status.state == "running":
            node.lately.append((status.fps, status.busy))
        return failed

    def tidy(self, now: float) -> None:
        """Forget what was lost long ago."""
        for node_id in [n for n, node in self._nodes.items() if now - node.heard > FORGET_AFTER_SECONDS]:
            del self._nodes[node_id]

    def live(self, now: float) -> int:
        """Count the nodes that answer."""
        return sum(now - node.heard <= LOST_AFTER_SECONDS for node in self._nodes.values())

    def waits(self, node_id: str) -> bool:
        """Tell whether the node takes frames of the batch or remote lane, which may be any age."""
        node = self._nodes.get(node_id)
        return node is not None and node.status.lane in (Lane.BATCH, Lane.REMOTE)

    def lanes(self, now: float) -> set[str]:
        """The lanes from which a node takes frames."""
        return {status.lane for status in self.statuses(now) if status.state == "running"}

    def statuses(self, now: float) -> list[NodeStatus]:
        """The last words of the nodes that answer, by name."""
        live = (node.status for node in self._nodes.values() if now - node.heard <= LOST_AFTER_SECONDS)
        return sorted(live, key=lambda status: status.node_id)

    def unsettled(self, now: float) -> int:
        """Count the running nodes that do not compute with the models desired of them."""
        return sum(
            status.state == "running" and not settled(status, self.revision) for status in self.statuses(now)
        )

    def last_words(self) -> Iterable[NodeStatus]:
        """The last word of every node, lost ones included."""
        return [node.status for node in self._nodes.values()]

    def status(self, node_id: str) -> NodeStatus | None:
        """The last word of a node, also of a lost one; None if it is not known."""
        node = self._nodes.get(node_id)
        return None if node is None else node.status

    def pace(self, node_id: str) -> tuple[float, float]:
        """A node's frames a second and busy share over the last half minute."""
        node = self._nodes.get(node_id)
        if node is None or not node.lately:
            return 0.0, 0.0
        fps, busy = zip(*node.lately, strict=True)
        return sum(fps) / len(fps), sum(busy) / len(busy)

    def views(self, now: float) -> list[NodeView]:
        """Every node, by name."""
        absent: Literal["lost", "unknown"] = "lost" if self._hearing.settled(now) else "unknown"
        return [self._view(self._nodes[node_id], now, absent) for node_id in sorted(self._nodes)]

    def _view(self, node: _Node, now: float, absent: Literal["lost", "unknown"]) -> NodeView:
        status = node.status
        # Overdue since a moment at which the broker itself still answered; or, with nobody to ask, by the clock.
        until = now if self._hearing.deaf(now) else self._hearing.until(now)
        lost = until - node.heard > LOST_AFTER_SECONDS
        drain = self.drains.get(status.node_id)
        return NodeView(
            node_id=status.node_id,
            state=absent if lost else _at(status),
            lane=status.lane,
            model=status.model,
            detector=status.detector,
            fallback=status.fallback,
            fps=0.0 if lost else status.fps,
            busy=0.0 if lost else status.busy,
            prefetch=status.prefetch,
            since=status.since,
            last_seen=node.heard_wall,
            desired=status.desired,
            model_error=status.model_error,
            settled=not lost and settled(status, self.revision),
            drain=None if drain is None else DrainView(drain.since, drain.by),
            version=status.version,
            host=status.host,
            memory=status.memory,
        )


def _at(status: NodeStatus) -> Literal["running", "draining", "drained"]:
    if status.drained:
        return "drained"
    return "draining" if status.state == "draining" else "running"


def settled(status: NodeStatus, revision: int) -> bool:
    """Return whether a node computes with what is desired of it."""
    return status.desired == revision and status.model_error is None
