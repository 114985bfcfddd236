"""Asks the broker how many messages wait in a queue, and how many clients consume it."""

from collections.abc import Sequence
from typing import Any

from broker.role import Role


class QueueDepth(Role):
    """Asks for the depth of durable queues every few seconds, by passive declaration.

    `messages[queue]` counts what is ready, not what workers hold: AMQP tells no more. Empty while disconnected.
    """

    def __init__(self, queues: Sequence[str] = (), every: float = 2.0) -> None:
        super().__init__()
        self._queues = list(queues)
        self._every = every
        self.messages: dict[str, int] = {}
        self.consumers: dict[str, int] = {}

    def watch(self, queue: str) -> None:
        """Ask for this one too, from the next time on."""
        if queue not in self._queues:
            self._queues.append(queue)

    def _opened(self, channel: Any) -> None:
        self._ask(channel)

    def _ask(self, channel: Any) -> None:
        if channel is not self._channel or self._connection is None:
            return
        for queue in self._queues:
            channel.queue_declare(queue, passive=True, callback=self._answered)
        self._connection.loop.call_later(self._every, lambda: self._ask(channel))

    def _answered(self, frame: Any) -> None:
        self._settled()
        self.messages[frame.method.queue] = frame.method.message_count
        self.consumers[frame.method.queue] = frame.method.consumer_count

    def _lost(self) -> None:
        self.messages.clear()
        self.consumers.clear()
