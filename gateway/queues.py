"""How many messages wait in the queues, for the figures and the metrics."""

import time

from broker import QueueDepth
from contract.topology import Lane
from gateway.metrics import GatewayMetrics
from gateway.senders.registry import SenderRegistry
from gateway.statistics import Statistics

TASK_QUEUES = [lane.queue for lane in Lane]


class Queues:
    """What the broker tells of the queues every few seconds; those of the senders apart, since they may be missing."""

    def __init__(
        self,
        depth: QueueDepth,
        of_senders: QueueDepth,
        registry: SenderRegistry,
        statistics: Statistics,
        metrics: GatewayMetrics,
    ) -> None:
        self.depth = depth
        self.of_senders = of_senders
        self._registry = registry
        self._statistics = statistics
        self._metrics = metrics

    @property
    def waiting(self) -> int | None:
        """Frames in the lanes' own queues; None while the broker does not tell."""
        messages = self.depth.messages
        return sum(messages.get(queue, 0) for queue in TASK_QUEUES) if messages else None

    def tick(self, _now: float) -> None:
        """Pass on what is known now."""
        self._statistics.depth(self.waiting, time.time())
        self.of_senders.follow(queue.name for sender in self._registry.senders for queue in sender.queues)
        self._metrics.queue.clear()  # rather no figure than an old one
        for queue, messages in (self.depth.messages | self.of_senders.messages).items():
            self._metrics.queue.labels(queue).set(messages)
