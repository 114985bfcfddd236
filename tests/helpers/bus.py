"""The test's own connection to the broker, on the test's event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, Role, aio
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE
from tests.helpers.eventually import aeventually


class Bus:
    """Publishes, and collects what it is asked to collect."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.publisher = Publisher(window=10_000)
        self.connection: Connection

    async def open(self, *roles: Role) -> None:
        """Connect and wait until it is usable."""
        self.connection = Connection(AsyncioLoop(), [self._url], "test", [self.publisher, *roles])
        self.connection.start()
        await aeventually("the test's own connection", lambda: self.publisher.usable)

    async def publish(self, message: Message) -> Outcome:
        return await aio.publish(self.publisher, message)

    async def task(self, body: bytes, queue: str = "frame_queue", **fields: str) -> Outcome:
        """Publish a task as any plain client does: default exchange, JSON."""
        return await self.publish(Message("", queue, body, **fields))  # type: ignore[arg-type]


@asynccontextmanager
async def bus(url: str, *roles: Role) -> AsyncIterator[Bus]:
    """An open Bus; closed at the end."""
    opened = Bus(url)
    try:
        await opened.open(*roles)
        yield opened
    finally:
        await aio.stop(opened.connection)


class Collector(Consumer):
    """Takes everything from a queue, acknowledges it and keeps it."""

    def __init__(self, queue: str) -> None:
        self.deliveries: list[Delivery] = []
        super().__init__(queue, self._keep)

    def _keep(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        delivery.ack()


def results() -> Collector:
    """Collects every result that is stored."""
    return Collector(RESULT_QUEUE)


def dead_letters() -> Collector:
    """Collects every dead letter."""
    return Collector(DEAD_LETTER_QUEUE)
