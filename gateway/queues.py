"""What the broker tells of the queues: how many messages wait in each, and which of them are down."""

import time

from broker import QueueDepth, QueueFaults
from contract.topology import Lane
from gateway.metrics import GatewayMetrics
from gateway.senders.registry import SenderRegistry
from gateway.statistics import Statistics

TASK_QUEUES = [lane.queue for lane in Lane]
IDLE_SECONDS = 45.0
"""A queue that is down looks like one that is empty and that nobody consumes: those are looked at this often."""


class Queues:
    """What the broker tells of the queues every few seconds; those of the senders apart, since they may be missing."""

    def __init__(
        self,
        depth: QueueDepth,
        of_senders: QueueDepth,
        registry: SenderRegistry,
        faults: QueueFaults,
        statistics: Statistics,
        metrics: GatewayMetrics,
    ) -> None:
        self.depth = depth
        self.of_senders = of_senders
        self._registry = registry
        self._faults = faults
        self._statistics = statistics
        self._metrics = metrics
        self._looked = float("-inf")

    @property
    def waiting(self) -> int | None:
        """Frames in the lanes' own queues; None while the broker does not tell."""
        messages = self.depth.messages
        return sum(messages.get(queue, 0) for queue in TASK_QUEUES) if messages else None

    def tick(self, now: float) -> None:
        """Pass on what is known now. `now` is monotonic."""
        self._statistics.depth(self.waiting, time.time())
        self.of_senders.follow(queue.name for sender in self._registry.senders for queue in sender.queues)
        self._metrics.queue.clear()  # rather no figure than an old one
        self._metrics.queue_down.clear()
        down = self._faults.down
        for queue, messages in (self.depth.messages | self.of_senders.messages).items():
            if queue not in down:
                self._metrics.queue.labels(queue).set(messages)
            self._metrics.queue_down.labels(queue).set(queue in down)
        self._look(now)

    def _look(self, now: float) -> None:
        messages, consumers = self.depth.messages, self.depth.consumers
        if not messages:
            self._looked = float("-inf")  # damage shows when the broker is back
        elif now - self._looked > IDLE_SECONDS:
            self._looked = now
            self._faults.suspect(*(q for q in messages if not messages[q] and not consumers.get(q)))
