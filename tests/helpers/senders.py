"""Senders with queues of their own, as a gateway announces them and as their clients send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker import Message, Outcome
from contract.senders import Sender, Senders
from contract.status import encode_status
from contract.topology import CONTROL_EXCHANGE, Lane
from tests.helpers.bus import Bus

EVERY_SECONDS = 0.5
"""Ten times as often as gateways: a test waits for a worker that did not listen yet."""
SCHOOL = Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH))


class Announcer:
    """Says again and again which senders there are, as a gateway does, until the block ends."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._revision = 0
        self._senders: tuple[Sender, ...] = ()

    async def change(self, *senders: Sender) -> None:
        """Say at once that there are others."""
        self._revision += 1
        self._senders = senders
        await self._say()

    async def go_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._say()

    async def _say(self) -> None:
        if self._revision:
            await self._bus.publish(announcement(self._revision, *self._senders))


@asynccontextmanager
async def announcing(bus: Bus, *senders: Sender) -> AsyncIterator[Announcer]:
    """An Announcer; it ends with the block."""
    announcer = Announcer(bus)
    await announcer.change(*senders)
    going_on = asyncio.create_task(announcer.go_on())
    try:
        yield announcer
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)


def announcement(revision: int, *senders: Sender) -> Message:
    """What a gateway says on `control`."""
    said = encode_status(Senders(revision=revision, senders=senders))
    return Message(CONTROL_EXCHANGE, "", said, persistent=False, mandatory=False)


async def send(bus: Bus, sender: Sender, body: bytes, lane: Lane = Lane.LIVE, **fields: object) -> Outcome:
    """Publish a task as the sender's client does."""
    given: dict[str, object] = {"content_type": "application/json", **fields}
    return await bus.publish(Message(sender.exchange, sender.queue(lane), body, **given))  # type: ignore[arg-type]
