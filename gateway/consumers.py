"""Who takes messages out of our queues: as many consumers as gateways and workers are heard, or somebody else too.

AMQP tells how many consume a queue, not who. A message that somebody else takes is missing where it was meant to go.
`now` is monotonic.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from broker import Publisher, QueueDepth
from contract.status import WATCH_TTL_SECONDS, NodeStatus
from contract.topology import RESULT_QUEUE, Lane
from gateway.hearing import Hearing
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes

MAX_GATEWAYS = 1_000


class Gateways:
    """The gateways that are heard on `control`, this one included: each announces every few seconds."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._heard: dict[str, float] = {}

    def heard(self, gateway_id: str, now: float) -> None:
        """Note that a gateway has announced what it watches."""
        self._heard.pop(gateway_id, None)
        self._heard[gateway_id] = now
        if len(self._heard) > MAX_GATEWAYS:
            del self._heard[next(iter(self._heard))]  # the one that was silent longest

    def live(self, now: float) -> int:
        """Return how many gateways there are."""
        return len(
            {g for g, heard in self._heard.items() if now - heard <= WATCH_TTL_SECONDS} | {self._own_id}
        )


def foreign_consumers(
    consumers: Mapping[str, int], *, gateways: int, nodes: Iterable[NodeStatus]
) -> dict[str, int]:
    """Tell how many more consume each queue than should: gateways consume the results, workers a lane.

    Nobody should stay with the dead letters and the retries, and no drained worker with its lane.
    """
    workers = Counter(node.lane for node in nodes if not node.drained)
    expected = {RESULT_QUEUE: gateways} | {lane.queue: workers[lane.value] for lane in Lane}
    return {queue: max(0, count - expected.get(queue, 0)) for queue, count in consumers.items()}


class ForeignConsumers:
    """Counts for the metrics who consumes a queue of ours and should not."""

    def __init__(
        self,
        depth: QueueDepth,
        publisher: Publisher,
        gateways: Gateways,
        nodes: Nodes,
        hearing: Hearing,
        metrics: GatewayMetrics,
    ) -> None:
        self._depth = depth
        self._publisher = publisher
        self._gateways = gateways
        self._nodes = nodes
        self._hearing = hearing
        self._metrics = metrics

    def tick(self, now: float) -> None:
        """Count the consumers of every queue."""
        self._metrics.foreign_consumers.clear()
        # In a broker alarm nobody can say that they are there, and without a broker nobody is heard.
        if self._publisher.blocked or not self._hearing.settled(now):
            return
        foreign = foreign_consumers(
            self._depth.consumers, gateways=self._gateways.live(now), nodes=self._nodes.statuses(now)
        )
        for queue, count in foreign.items():
            self._metrics.foreign_consumers.labels(queue).set(count)
