"""Move every message of a queue into another one and delete the emptied queue. No confirmed message is lost.

Each is published to the other queue, confirmed, and then acknowledged: a crash in between leaves it in both. Its own
time to live does not go along: the sender meant it for a queue that is being worked off.
Quorum queues know no `if-empty`, and the broker confirms what it is just publishing to a queue that is deleted: so
nobody may publish meanwhile, and nothing is deleted before nothing has come for a while. The queue is deleted under
our own consumer: what it took before is delivered to us first, and is moved like the rest.
"""

import asyncio
import time
from collections.abc import Callable

from broker.consumer import Delivery
from broker.errors import BrokerError, Busy, Full, Unreachable
from broker.publisher import Message, Outcome, Publisher
from broker.republishing import again
from broker.session import Channel, Session
from contract.topology import RETRY_EXCHANGE

PREFETCH = 200
QUIET_SECONDS = 3.0
PATIENCE_SECONDS = 15.0
ENDED_SECONDS = 10.0
TAG = "framefleet-drain"

WHY = {
    Outcome.REJECTED: "{0} is full",
    Outcome.QUEUE_DOWN: "{0} is down: framefleet queues repair",
    Outcome.UNROUTABLE: "{0} does not exist any more",
    Outcome.REFUSED: "RabbitMQ refuses a message to {0}: its log says why",
    Outcome.TIMED_OUT: "RabbitMQ did not confirm a message to {0}",
    Outcome.DISCONNECTED: "the connection to RabbitMQ was lost",
    Outcome.BLOCKED: "RabbitMQ takes no messages just now: a memory or disk alarm",
}

Room = Callable[["Drain"], bool]
"""Says whether the target has room for one more, as far as the drain can know."""


def always(_drain: "Drain") -> bool:
    """There is always room."""
    return True


class Drain:
    """One queue on its way into another: how many messages and bytes were moved and are just being moved."""

    def __init__(self, session: Session, publisher: Publisher, source: str, target: str) -> None:
        self.moved = 0
        self.size = 0
        self.under_way = 0
        self._backlog = 0
        self._session = session
        self._publisher = publisher
        self._source = source
        self._target = target
        self._stirred = asyncio.Event()
        self._failure: BrokerError | None = None
        self._room: Room = always

    @property
    def missing(self) -> int:
        """The messages of the source that were not moved: they expired, or somebody took them."""
        return max(0, self._backlog - self.moved)

    async def run(self, room: Room = always) -> None:
        """Move everything, then delete the source.

        Raises Full when the target takes no more, or `room` says so; Busy when somebody goes on publishing to the
        source or consumes it too; BrokerError when the broker fails. What was not moved is in the source then.
        """
        self._room = room
        async with self._session.channel() as channel:
            ended = asyncio.Event()
            channel.raw.add_on_cancel_callback(lambda _frame: ended.set())
            async with self._session.channel() as asking:
                self._backlog, _ = await asking.count(self._source)
                await channel.subscribe(self._source, TAG, PREFETCH, self._received)
                await self._quiet(channel)
                _, consumers = await asking.count(self._source)
                if consumers > 1:  # what it holds would go with the queue
                    raise Busy(f"{self._source} has another consumer: stop it")
                await asking.delete(self._source)
            try:
                await asyncio.wait_for(ended.wait(), ENDED_SECONDS)  # said after the queue's last message
            except TimeoutError:
                raise Unreachable(f"RabbitMQ did not say that {self._source} is deleted") from None
            await self._settled()

    def _received(self, delivery: Delivery) -> None:
        if self._failure is not None:
            return
        if not self._room(self):
            self._failure = Full(f"{self._target} has no room for more")
            self._stirred.set()
            return
        self.under_way += 1
        self._stirred.set()
        size = len(delivery.body)

        def done(outcome: Outcome) -> None:
            self.under_way -= 1
            self._stirred.set()
            if outcome is Outcome.CONFIRMED:
                delivery.ack()  # in vain if the queue was deleted meanwhile, which is the same
                self.moved += 1
                self.size += size
            elif self._failure is None:
                kind = Full if outcome is Outcome.REJECTED else BrokerError
                self._failure = kind(WHY[outcome].format(self._target))

        self._publisher.publish(self._again(delivery), done)

    def _again(self, delivery: Delivery) -> Message:
        """The message on its way; of further attempts the exchange `retry` is known to bring nothing else.

        So what came by it goes on by it: it leads to the one of both queues that is in use.
        """
        if delivery.exchange == RETRY_EXCHANGE:
            return again(delivery, delivery.routing_key, exchange=RETRY_EXCHANGE)
        return again(delivery, self._target)

    async def _quiet(self, channel: Channel) -> None:
        """Wait until everything is moved and nothing has come for a while."""
        since = None
        while True:
            await self._settled()
            if channel.closed.done():
                raise channel.failure()
            if self.moved >= self._backlog:
                since = since or time.monotonic()
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise Busy(f"somebody goes on publishing to {self._source}: stop all that sends to it")
            self._stirred.clear()
            try:
                await asyncio.wait_for(self._stirred.wait(), QUIET_SECONDS)
            except TimeoutError:
                return

    async def _settled(self) -> None:
        while self.under_way:
            self._stirred.clear()
            await self._stirred.wait()
        if self._failure is not None:
            raise self._failure
