"""What the broker tells of the queues: how many messages wait in each, and which of them are down."""

import time
from collections.abc import Mapping

from broker import QueueDepth, QueueFaults
from broker.faults import sentence
from contract.senders import Sender
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
        self._looked: dict[str, float] = {}

    @property
    def waiting(self) -> int | None:
        """Frames in the lanes' own queues; None while the broker does not tell."""
        messages = self.depth.messages
        return sum(messages.get(queue, 0) for queue in TASK_QUEUES) if messages else None

    @property
    def faults_down(self) -> Mapping[str, str]:
        """Every queue that is down, with what RabbitMQ said."""
        return self._faults.down

    def down(self, sender: Sender) -> list[str]:
        """Those of the sender's queues that are down."""
        return [queue.name for queue in sender.queues if queue.name in self._faults.down]

    def notices(self) -> list[str]:
        """Say of each sender's queue that is down what to do. Those that everybody needs are the link's to tell."""
        return [
            f"{sentence(queue, self._faults.down[queue])}. It is {sender.name}'s own: all others go on"
            for sender in self._registry.senders
            for queue in self.down(sender)
        ]

    def tick(self, now: float) -> None:
        """Pass on what is known now. `now` is monotonic."""
        self._statistics.depth(self.waiting, time.time())
        own = [queue.name for sender in self._registry.senders for queue in sender.queues]
        self._faults.forget(*self.of_senders.follow(own))
        self._metrics.queue.clear()  # rather no figure than an old one
        self._metrics.queue_down.clear()
        down = self._faults.down
        told = self.depth.messages | self.of_senders.messages
        for queue, messages in told.items():
            if queue not in down:
                self._metrics.queue.labels(queue).set(messages)
            self._metrics.queue_down.labels(queue).set(queue in down)
        if self.depth.messages:
            # Those of senders are not told of for a moment, whenever one of them is missing.
            for queue in down:
                self._metrics.queue_down.labels(queue).set(1)
        self._look(now)

    def _look(self, now: float) -> None:
        messages = self.depth.messages | self.of_senders.messages
        consumers = self.depth.consumers | self.of_senders.consumers
        # What the broker does not tell of now is looked at when it is back: then damage shows.
        self._looked = {queue: when for queue, when in self._looked.items() if queue in messages}
        idle = [
            queue
            for queue, count in messages.items()
            if not count
            and not consumers.get(queue)
            and now - self._looked.get(queue, float("-inf")) > IDLE_SECONDS
        ]
        self._looked |= dict.fromkeys(idle, now)
        self._faults.suspect(*idle)
