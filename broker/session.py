"""A tool's short connection: connect, ask, and close; every answer awaited, every refusal an exception.

Services stay connected and recover (broker.connection, broker.role); a tool that loses the broker says so and ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pika.spec import Basic

from broker import aio
from broker.connection import Connection
from broker.consumer import Delivery
from broker.errors import BrokerError, NoSuchQueue, Refused, Unreachable
from broker.loops import AsyncioLoop
from broker.publisher import Publisher
from broker.urls import redact
from contract.topology import Exchange, Queue, Topology

NOTHING = Topology(exchanges=(), queues=())
ANSWER_SECONDS = 20.0
GOODBYE_SECONDS = 5.0
NOT_FOUND = 404

Answered = Callable[[Any], None]


class Channel:
    """One AMQP channel. The broker closes it with its first refusal: use another one after that."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.closed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        raw.add_on_close_callback(self._closed)

    def _closed(self, _channel: Any, reason: Exception) -> None:
        if not self.closed.done():
            self.closed.set_result(reason)

    async def call(self, begin: Callable[[Answered], Any]) -> Any:
        """Wait for the broker's answer to what `begin(callback)` sends. Raises Refused, NoSuchQueue, Unreachable."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self.closed.done():
            begin(answer.set_result)  # nothing else ends it: not even a caller who gave up cancels it
        await asyncio.wait((answer, self.closed), timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise self.failure()

    def failure(self) -> BrokerError:
        """Make an error of why the channel is closed, or of the broker's silence."""
        if not self.closed.done():
            return Unreachable(f"RabbitMQ has not answered for {ANSWER_SECONDS:.0f} s")
        reason = self.closed.result()
        code, said = getattr(reason, "reply_code", None), str(getattr(reason, "reply_text", reason))
        if code is None or not hasattr(reason, "reply_text"):
            return Unreachable(f"the connection to RabbitMQ was lost: {reason}")
        return NoSuchQueue(said) if code == NOT_FOUND else Refused(said)

    async def close(self) -> None:
        """Close it, unless it is closed; what it held goes back to its queue."""
        if self.raw.is_open:
            self.raw.close()
            await asyncio.wait((self.closed,), timeout=ANSWER_SECONDS)

    # --- queues -----------------------------------------------------------------------------------------

    async def declare(self, queue: Queue) -> None:
        """Declare `queue` with its bindings; nothing happens if it exists with these arguments."""
        arguments = dict(queue.arguments)
        await self.call(
            lambda done: self.raw.queue_declare(queue.name, durable=True, arguments=arguments, callback=done)
        )
        for binding in queue.bindings:
            await self.bind(queue.name, *binding)

    async def declare_exchange(self, exchange: Exchange) -> None:
        """Declare `exchange`; nothing happens if it exists as this."""
        await self.call(
            lambda done: self.raw.exchange_declare(exchange.name, exchange.type, durable=True, callback=done)
        )

    async def has_exchange(self, name: str) -> bool:
        """Whether there is an exchange of that name. The channel is closed where there is none."""
        try:
            await self.call(lambda done: self.raw.exchange_declare(name, passive=True, callback=done))
        except NoSuchQueue:
            return False
        return True

    async def delete_exchange(self, name: str) -> None:
        """Delete an exchange; no error if there is none."""
        await self.call(lambda done: self.raw.exchange_delete(name, callback=done))

    async def count(self, name: str) -> tuple[int, int]:
        """(messages that are ready, consumers) of an existing queue. Raises NoSuchQueue."""
        frame = await self.call(lambda done: self.raw.queue_declare(name, passive=True, callback=done))
        return frame.method.message_count, frame.method.consumer_count

    async def get(self, name: str) -> Delivery | None:
        """The oldest message, if there is one: what is not settled goes back when the channel closes."""

        def begin(done: Answered) -> None:
            self.raw.add_callback(lambda _frame: done(None), [Basic.GetEmpty])
            self.raw.basic_get(name, lambda *answer: done(Delivery(*answer)))

        delivery: Delivery | None = await self.call(begin)
        return delivery

    async def delete(self, name: str) -> None:
        """Delete a queue, whatever is in it (quorum queues know no `if-empty`)."""
        await self.call(lambda done: self.raw.queue_delete(name, callback=done))

    async def bind(self, name: str, exchange: str, key: str) -> None:
        """Let `exchange` feed the queue."""
        await self.call(lambda done: self.raw.queue_bind(name, exchange, routing_key=key, callback=done))

    async def unbind(self, name: str, exchange: str, key: str) -> None:
        """Let `exchange` no longer feed the queue; no error if it did not."""
        await self.call(lambda done: self.raw.queue_unbind(name, exchange, routing_key=key, callback=done))

    async def subscribe(
        self, name: str, tag: str, prefetch: int, received: Callable[[Delivery], None]
    ) -> None:
        """Consume with at most `prefetch` unsettled messages."""

        def delivered(channel: Any, method: Any, properties: Any, body: bytes) -> None:
            received(Delivery(channel, method, properties, body))

        await self.call(lambda done: self.raw.basic_qos(prefetch_count=prefetch, callback=done))
        await self.call(lambda done: self.raw.basic_consume(name, delivered, consumer_tag=tag, callback=done))


class Session:
    """An open connection. Channels are closed with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def open(self) -> bool:
        """The connection stands. RabbitMQ closes it because of some questions, and `session` makes no other."""
        return self._connection.ready

    @property
    def server(self) -> dict[str, str]:
        """What the broker says of itself: `product`, `version`, `cluster_name`, `platform`."""
        return self._connection.server

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Channel]:
        """A channel for the length of the block. Raises Unreachable."""
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self._connection.open:
            raise Unreachable("the connection to RabbitMQ was lost")
        self._connection.open_channel(opened.set_result)
        await asyncio.wait((opened,), timeout=ANSWER_SECONDS)
        if not opened.done():
            raise Unreachable(f"RabbitMQ has not answered for {ANSWER_SECONDS:.0f} s")
        channel = Channel(opened.result())
        try:
            yield channel
        finally:
            if not self._connection.blocked:  # else it is closed with the connection, when the alarm ends
                await channel.close()

    async def count(self, name: str) -> tuple[int, int]:
        """(messages that are ready, consumers) of an existing queue. Raises NoSuchQueue."""
        async with self.channel() as channel:
            return await channel.count(name)

    async def publisher(self) -> Publisher:
        """A publisher on this connection. Raises Unreachable."""
        ready = asyncio.Event()
        publisher = Publisher(on_ready=ready.set)
        publisher.attach(self._connection)
        try:
            await asyncio.wait_for(ready.wait(), ANSWER_SECONDS)
        except TimeoutError:
            raise Unreachable(f"RabbitMQ has not answered for {ANSWER_SECONDS:.0f} s") from None
        return publisher


@asynccontextmanager
async def session(urls: Sequence[str], name: str, timeout: float = 10.0) -> AsyncIterator[Session]:
    """Connect to the first of `urls` that answers; declares nothing. Raises Unreachable."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    tried: list[str] = []

    def changed(state: str, detail: str) -> None:
        if state == "ready" and not ready.done():
            ready.set_result(None)
        elif state == "lost":
            tried.append(detail)
            if len(tried) >= len(urls) and not ready.done():
                ready.set_exception(Unreachable(_nowhere(urls, detail)))

    connection = Connection(AsyncioLoop(), urls, name, topology=NOTHING, on_state=changed, quiet=True)
    connection.start()
    try:
        try:
            await asyncio.wait_for(ready, timeout)
        except TimeoutError:
            raise Unreachable(_nowhere(urls, f"no answer within {timeout:.0f} s")) from None
        yield Session(connection)
    finally:
        # In an alarm the broker does not read even our goodbye.
        with contextlib.suppress(TimeoutError):
            await aio.stop(connection, 0.5 if connection.blocked else GOODBYE_SECONDS)


def _nowhere(urls: Sequence[str], why: str) -> str:
    return f"cannot connect to RabbitMQ at {', '.join(map(redact, urls))}: {why}"
