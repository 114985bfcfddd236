"""Asks the broker how many messages wait in a queue, and how many clients consume it."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from broker.refusals import read_missing_queue
from broker.role import Role

ABSENT_SECONDS = 30.0
"""So long a queue that is not there is not asked for again: the question costs the channel."""


class QueueDepth(Role):
    """Asks for the depth of durable queues every few seconds, by passive declaration.

    `messages[queue]` counts what is ready, not what workers hold: AMQP tells no more. Empty while disconnected.
    """

    def __init__(self, queues: Sequence[str] = (), every: float = 2.0) -> None:
        super().__init__()
        self._queues = list(queues)
        self._every = every
        self._followed: list[str] = []
        self._absent: dict[str, float] = {}
        self.messages: dict[str, int] = {}
        self.consumers: dict[str, int] = {}
        self.answered = float("-inf")
        """When the broker last answered, monotonic seconds."""

    def watch(self, queue: str) -> None:
        """Ask for this one too, from the next time on."""
        if queue not in self._queues:
            self._queues.append(queue)

    def follow(self, queues: Iterable[str]) -> set[str]:
        """Ask for these besides, from the next time on, instead of those of the last call. They may be missing.

        Returns those of the last call that are not asked for any more.
        """
        before, self._followed = self._followed, list(queues)
        dropped = set(before) - set(self._followed)
        for queue in dropped:
            self._absent.pop(queue, None)
            self.messages.pop(queue, None)
            self.consumers.pop(queue, None)
        return dropped

    def _opened(self, channel: Any) -> None:
        self._ask(channel)

    def _ask(self, channel: Any) -> None:
        if channel is not self._channel or self._connection is None:
            return
        now = time.monotonic()
        there = [queue for queue in self._followed if self._absent.get(queue, now) <= now]
        for queue in (*self._queues, *there):
            channel.queue_declare(queue, passive=True, callback=self._answered)
        self._connection.loop.call_later(self._every, lambda: self._ask(channel))

    def _answered(self, frame: Any) -> None:
        self._settled()
        self.answered = time.monotonic()
        queue = frame.method.queue
        if queue in self._queues or queue in self._followed:  # and not left meanwhile
            self.messages[queue] = frame.method.message_count
            self.consumers[queue] = frame.method.consumer_count

    def _lost(self) -> None:
        missing = read_missing_queue(str(self._closed_for or ""))
        if missing in self._followed:
            self._absent[missing] = time.monotonic() + ABSENT_SECONDS
        self.messages.clear()
        self.consumers.clear()
