"""Where a task came from: the queue, and with it the sender, whatever the message says about itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from broker import Delivery
from contract.dead_letters import ATTEMPTS, PREFIX, attempts, came_back, is_brokers_own
from contract.senders import Sender
from contract.topology import DEAD_LETTER_QUEUE, RETRY_EXCHANGE, Lane


@dataclass(frozen=True)
class Intake:
    """A queue that a worker takes tasks from: a lane's own, or one that belongs to a sender.

    Who writes to a lane's own queue is trusted and has no name.
    """

    lane: Lane
    sender: Sender | None = None

    @cached_property
    def queue(self) -> str:
        """The name of the queue."""
        return self.lane.queue if self.sender is None else self.sender.queue(self.lane)

    @property
    def dead_letter_queue(self) -> str:
        """The name of the queue of its dead letters."""
        return DEAD_LETTER_QUEUE if self.sender is None else self.sender.dead_letter_queue

    @property
    def retries(self) -> tuple[str, ...]:
        """The queues that a failed frame goes through, one per further attempt: of a sender, its own once."""
        return self.lane.retries if self.sender is None else (self.queue,)

    def tried(self, delivery: Delivery) -> int:
        """Return how often the frame was tried before, by our own header, where only we can have written it."""
        headers = delivery.headers
        return attempts(headers) if ATTEMPTS in headers and self._ours(delivery) else 0

    def foreign(self, delivery: Delivery) -> Callable[[str], bool]:
        """Return what tells by its name whether a header of this delivery looks like ours or RabbitMQ's and is not."""
        if self._ours(delivery):
            return lambda name: False
        return lambda name: name.startswith(PREFIX) or is_brokers_own(name)

    def _ours(self, delivery: Delivery) -> bool:
        """Tell whether it came on a way that is open to services alone, from a worker that tried it before."""
        if delivery.exchange == RETRY_EXCHANGE:
            return True
        if self.sender is not None or self.lane is Lane.LIVE or delivery.exchange:
            return False
        headers: Any = delivery.headers
        return came_back(headers, self.retries)
