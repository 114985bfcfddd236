"""The asyncio face: awaitable forms of what a connection on an AsyncioLoop does by callback."""

import asyncio

from broker.connection import Connection
from broker.publisher import Message, Outcome, Publisher


async def publish(publisher: Publisher, message: Message) -> Outcome:
    """Publish and wait for the outcome."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        if not future.done():  # the waiter may have been cancelled
            future.set_result(outcome)

    publisher.publish(message, done)
    return await future


async def stop(connection: Connection, timeout: float = 5.0) -> None:
    """Close the connection and wait until nothing of it is left. Raises TimeoutError."""
    closed = asyncio.Event()
    connection.stop(closed.set)
    async with asyncio.timeout(timeout):
        await closed.wait()
