"""Consumes the queues of the senders that gateways announce, for as long as they do."""

from collections.abc import Callable, Sequence
from functools import partial

from broker import Delivery, Link
from contract.senders import Sender, Senders
from contract.topology import Lane
from runtime.logs import get_logger
from worker.fair_queue import LEAST_WEIGHT
from worker.intake import Intake
from worker.task_consumer import TaskConsumer

log = get_logger("worker")


class SenderConsumers:
    """One consumer for each sender of the lane, which holds one frame. On the connection's thread.

    `changed` hears all senders of the lane after each change. The highest revision holds.
    """

    def __init__(
        self,
        link: Link,
        lane: Lane,
        received: Callable[[Intake, Delivery], None],
        changed: Callable[[Sequence[Sender]], None],
    ) -> None:
        self._link = link
        self._lane = lane
        self._received = received
        self._changed = changed
        self._revision = 0
        self._by_name: dict[str, TaskConsumer] = {}
        self._leaving: list[TaskConsumer] = []

    def leave(self) -> Sequence[TaskConsumer]:
        """Let go of all, until they are heard again; returns those that are still at it."""
        for name, consumer in list(self._by_name.items()):
            self._leave(name, consumer)
        self._revision = 0
        return list(self._leaving)

    def hear(self, senders: Senders) -> None:
        """Take what a gateway announced; an older revision than the last one is not news."""
        if senders.revision <= self._revision:
            return
        self._revision = senders.revision
        wanted = {sender.name: sender for sender in senders.senders if self._lane in sender.lanes}
        for name, consumer in list(self._by_name.items()):
            sender, known = wanted.get(name), consumer.intake.sender
            if sender is None or known is None or sender.topology != known.topology:
                self._leave(name, consumer)
        for name, sender in wanted.items():
            intake = Intake(self._lane, sender)
            if name in self._by_name:
                self._by_name[name].intake = intake
            else:
                log.info("a sender's tasks are taken", sender=name, queue=intake.queue)
                self._by_name[name] = TaskConsumer(
                    self._link, intake, self._received, prefetch=1, declared=sender.topology
                )
        self._changed(list(wanted.values()))

    def _leave(self, name: str, consumer: TaskConsumer) -> None:
        log.info("a sender's tasks are no longer taken", sender=name, queue=consumer.intake.queue)
        del self._by_name[name]
        self._leaving.append(consumer)
        consumer.end(partial(self._left, consumer))

    def _left(self, consumer: TaskConsumer) -> None:
        self._leaving.remove(consumer)
        consumer.drop()


def weights(lane: Lane, senders: Sequence[Sender]) -> dict[str, float]:
    """Divide a worker's time, by queue: each sender has its share, the lane's own what they leave, but at least 0.1."""
    rest = max(LEAST_WEIGHT, 1.0 - sum(sender.share for sender in senders))
    return {lane.queue: rest, **{sender.queue(lane): sender.share for sender in senders}}
