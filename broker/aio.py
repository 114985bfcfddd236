"""The asyncio face: awaitable forms of what a connection on an AsyncioLoop does by callback."""

import asyncio
import contextlib

from broker.connection import Connection
from broker.publisher import Message, Outcome, Publisher

DROPPED_SECONDS = 1.0
"""How long a dropped connection may take to be gone: a turn of the loop is enough."""


async def publish(publisher: Publisher, message: Message) -> Outcome:
    """Publish and wait for the outcome."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        if not future.done():  # the waiter may have been cancelled
            future.set_result(outcome)

    publisher.publish(message, done)
    return await future


async def stop(connection: Connection, timeout: float = 5.0) -> None:
    """Close the connection and wait until nothing of it is left.

    Raises TimeoutError where the broker did not say goodbye in time: then the connection was dropped.
    """
    closed = asyncio.Event()
    connection.stop(closed.set)
    await ended(closed, timeout, connection)


async def ended(closed: asyncio.Event, timeout: float, *connections: Connection) -> None:
    """Wait until what is being stopped is closed. Raises TimeoutError: then its connections were dropped."""
    try:
        async with asyncio.timeout(timeout):
            await closed.wait()
    except TimeoutError:
        for connection in connections:
            connection.drop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DROPPED_SECONDS):
                await closed.wait()
        raise
