"""Look at the messages of a queue without taking them.

AMQP has no word for it: messages are delivered and put back. RabbitMQ appends what comes back to its other returned
messages, so a queue keeps its order only when one consumer holds all of it and gives all of it back: a look goes
through the whole queue, and only one at a time. It keeps no body in memory. Going back counts: in a quorum queue
`x-delivery-count` is one more after each look, whichever way it ends (RabbitMQ 3.10 and 4.0).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from broker.consumer import Delivery
from broker.diagnosis import fault
from broker.errors import Busy, QueueDown, Unreachable
from broker.faults import sentence
from broker.session import Channel, Session

IDLE_SECONDS = 2.0
MOST_SILENT = 15  # times IDLE_SECONDS without a message, although some wait
POLL_SECONDS = 0.1
TAG = "framefleet-look"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a look. One that ends before its queue does may put messages back in another order."""

    messages: int = 60_000  # an AMQP prefetch is a 16-bit number
    size: int = 1 << 62  # bytes
    seconds: float = float("inf")


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Looked:
    """The extent of a look so far, of `total` messages that were ready when it began."""

    total: int
    seen: int
    size: int

    @property
    def complete(self) -> bool:
        return self.seen >= self.total


class Browse:
    """All messages of a queue, held until `put_back`."""

    def __init__(self, channel: Channel, queue: str, total: int) -> None:
        self.total = total
        self.seen = 0
        self._size = 0
        self._waiting = 0
        self._channel = channel
        self._queue = queue

    async def look(self, each: Callable[[Delivery], None], bounds: Bounds = UNBOUNDED) -> Looked:
        """Show every message to `each`, oldest first. It may acknowledge it: then the broker forgets it.

        `each` must not keep the delivery for longer than it needs: its body is the memory.
        Ends early when nothing more comes: messages may expire, or be dropped by a full queue.
        """
        most = min(self.total, bounds.messages)
        deadline = time.monotonic() + bounds.seconds
        over = asyncio.Event()

        def received(delivery: Delivery) -> None:
            if over.is_set():
                return
            self.seen += 1
            self._size += len(delivery.body)
            try:
                each(delivery)
            except Exception as error:
                broken.append(error)
                over.set()
            if self.seen >= most or self._size >= bounds.size:
                over.set()

        broken: list[Exception] = []
        if most:
            await self._channel.subscribe(self._queue, TAG, most, received)
            await self._end(over, deadline)
        if broken:
            raise broken[0]
        return Looked(self.total, self.seen, self._size)

    async def _end(self, over: asyncio.Event, deadline: float) -> None:
        ended = asyncio.ensure_future(over.wait())
        silent = 0
        try:
            while not over.is_set() and time.monotonic() < deadline:
                before = self.seen
                await asyncio.wait(
                    (ended, self._channel.closed),
                    timeout=min(IDLE_SECONDS, max(0.0, deadline - time.monotonic())),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if self._channel.closed.done():
                    raise self._channel.failure()
                silent = silent + 1 if self.seen == before else 0
                if silent and not over.is_set():
                    await self._ask(silent)
                    if self.seen == before and not self._waiting:
                        return  # what is missing has expired, or was dropped by a full queue
        finally:
            over.set()
            ended.cancel()

    async def _ask(self, silent: int) -> None:
        """Count the messages that still wait. A slow broker must not look like an empty queue. Raises Unreachable."""
        self._waiting, _ = await self._channel.count(self._queue)  # answered after what is under way to us
        if self._waiting and silent > MOST_SILENT:
            raise Unreachable(
                f"RabbitMQ has sent {self.seen} of {self.total} messages of {self._queue} and no more for "
                f"{silent * IDLE_SECONDS:.0f} s: try again"
            )

    async def put_back(self) -> None:
        """Put back what was not acknowledged, where it was: closing keeps the order, `nack` does not."""
        await self._channel.close()


@asynccontextmanager
async def browse(session: Session, queue: str, *, wait: float = 5.0) -> AsyncIterator[Browse]:
    """Look at `queue` for the length of the block; nobody else may consume it meanwhile.

    Raises Busy when somebody still does after `wait` seconds, NoSuchQueue, QueueDown, Unreachable.
    """
    if why := await fault(session, queue):
        raise QueueDown(sentence(queue, why))  # else it would look empty
    async with session.channel() as channel:
        deadline = time.monotonic() + wait
        while True:
            total, consumers = await channel.count(queue)
            if not consumers:
                break
            if time.monotonic() > deadline:
                raise Busy(
                    f"{queue} has a consumer: while another program takes its messages, nobody sees all of them. "
                    "Wait until it is done, or stop it"
                )
            await asyncio.sleep(POLL_SECONDS)
        looking = Browse(channel, queue, total)
        try:
            yield looking
        finally:
            await looking.put_back()
