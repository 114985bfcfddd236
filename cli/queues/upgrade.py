"""The upgrade of one queue: it is recreated with other arguments and keeps its messages (docs/upgrading.md).

    Q (old arguments) --> Q.upgrade (takes everything) --> Q (new arguments)

Each step leaves a state that the next run recognises and goes on from: nothing is remembered but the queues.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from broker import BrokerError, Publisher
from broker.compare import Difference, differences
from broker.drain import Drain, Room, always
from broker.errors import Busy, Full, NoSuchQueue, Refused
from broker.session import Session
from cli.console import StepCount, progress
from contract.topology import DEAD_LETTER_QUEUE, UNLIMITED_DELIVERIES, Argument, Queue

SUFFIX = ".upgrade"
FOLLOW_SECONDS = 0.2


class FoundQueue:
    """A queue of the topology as the broker has it. `messages` None: it does not exist."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.messages: int | None = None
        self.consumers = 0
        self.differences: Sequence[Difference] = ()
        self.set_aside: int | None = None
        self.busy_aside = False

    @property
    def differs(self) -> bool:
        """True if its arguments are not those of the topology."""
        return bool(self.differences)

    @property
    def needs_upgrade(self) -> bool:
        """True if it differs, or if an upgrade of it was interrupted."""
        return self.differs or self.set_aside is not None


@dataclass
class Upgraded:
    """The fate of a queue's messages: how many it was given back, how many are missing, and where they went."""

    moved: int = 0
    missing: int = 0
    where: list[str] = field(default_factory=list)

    def miss(self, count: int, where: str) -> None:
        """Note that `count` are missing, if any."""
        if count > 0:
            self.missing += count
            self.where.append(where.format(count))


def aside(queue: Queue) -> Queue:
    """Return the queue where its messages wait. It has no limit: nothing may be dropped, expire or be refused there."""
    arguments: dict[str, Argument] = {
        "x-queue-type": "quorum",
        "x-delivery-limit": UNLIMITED_DELIVERIES,
    }
    return Queue(queue.name + SUFFIX, arguments, queue.bindings)


async def inspect(session: Session, queue: Queue) -> FoundQueue:
    """Look at the queue as the broker has it; nothing is changed. Raises BrokerError."""
    state = FoundQueue(queue)
    try:
        state.messages, state.consumers = await session.count(queue.name)
        state.differences = await differences(session, queue)
    except NoSuchQueue:
        state.messages = None
    try:
        state.set_aside, consumers = await session.count(queue.name + SUFFIX)
        state.busy_aside = consumers > 0
    except NoSuchQueue:
        pass
    return state


def refuse_if_used(state: FoundQueue) -> None:
    """Raise Busy if somebody consumes the queue: what a consumer holds would be deleted with it."""
    if state.differs and state.consumers:
        raise Busy(
            f"{state.queue.name} has {state.consumers} consumers: stop workers, producers and gateways first "
            "(docs/upgrading.md)"
        )
    if state.busy_aside:
        raise Busy(f"another upgrade of {state.queue.name} is at work")


async def upgrade(session: Session, publisher: Publisher, state: FoundQueue, upgraded: Upgraded) -> None:
    """Recreate the queue; `upgraded` tells what came of its messages, also when it ends early. Raises BrokerError."""
    refuse_if_used(state)
    queue, waiting = state.queue, aside(state.queue)
    if state.differs:
        await _set_aside(session, publisher, queue, waiting, upgraded)
    async with session.channel() as channel:
        try:
            await channel.declare(queue)
        except Refused as error:
            raise BrokerError(
                f"somebody declared {queue.name} with its old arguments again ({error}): stop all services of the "
                "old version, then run this again; its messages are safe"
            ) from None
        for binding in waiting.bindings:
            await channel.unbind(waiting.name, *binding)
    drain = Drain(session, publisher, waiting.name, queue.name)
    present, _ = await session.count(queue.name)
    aside_now, _ = await session.count(waiting.name)
    try:
        async with progress(f"{queue.name}: moving back", aside_now) as shown:
            await _followed(drain, shown, room=lambda drain: _has_room(queue, present, drain))
    except Full as error:
        raise Full(
            f"{error}, by its new arguments: {aside_now - drain.moved:,} messages wait in {waiting.name}. Let workers "
            "make room, or purge, then run this again"
        ) from None
    upgraded.moved = drain.moved
    upgraded.miss(drain.missing, _gone_from(waiting))
    back, consumers = await session.count(queue.name)
    if not consumers and not _passes_on(queue):
        upgraded.miss(present + drain.moved - back, _gone_from(queue))


async def _set_aside(
    session: Session, publisher: Publisher, queue: Queue, waiting: Queue, upgraded: Upgraded
) -> None:
    async with session.channel() as channel:
        await channel.declare(waiting)  # with the bindings: what an exchange brings from now on is kept there
        for binding in queue.bindings:
            await channel.unbind(queue.name, *binding)
    before, _ = await session.count(waiting.name)
    drain = Drain(session, publisher, queue.name, waiting.name)
    async with progress(f"{queue.name}: setting aside", (await session.count(queue.name))[0]) as shown:
        await _followed(drain, shown)
    if not _passes_on(queue):
        upgraded.miss(
            drain.missing,
            f"{{:,}} left {queue.name} before they were moved: their time to live was over, or somebody took them. "
            f"Those that RabbitMQ dead-lettered are in {DEAD_LETTER_QUEUE}",
        )
    after, _ = await session.count(waiting.name)
    upgraded.miss(before + drain.moved - after, _gone_from(waiting))


def _passes_on(queue: Queue) -> bool:
    """Return whether messages leave the queue by themselves, for their lane, as they do a retry queue."""
    return "x-message-ttl" in queue.arguments


def _gone_from(queue: Queue) -> str:
    dead_letters = queue.arguments.get("x-dead-letter-routing-key")
    kept = f" What RabbitMQ dead-lettered is in {dead_letters}." if dead_letters else ""
    return (
        f"{{:,}} were confirmed into {queue.name} and are gone from it: does a policy with a time to live or a bound "
        f"match its name (rabbitmqctl list_policies), or did another program take them?{kept}"
    )


async def _followed(drain: Drain, shown: StepCount, room: Room = always) -> None:
    async def follow() -> None:
        while True:
            shown.done = drain.moved
            await asyncio.sleep(FOLLOW_SECONDS)

    following = asyncio.create_task(follow())
    try:
        await drain.run(room)
    finally:
        following.cancel()
        shown.done = drain.moved


def _has_room(queue: Queue, present: int, drain: Drain) -> bool:
    """Return whether one more fits into a queue that would drop its oldest; others refuse by themselves."""
    if queue.arguments.get("x-overflow", "drop-head") != "drop-head":
        return True
    messages = present + drain.moved + drain.under_way
    fits = messages < int(queue.arguments.get("x-max-length", messages + 1))
    return fits and drain.size < int(queue.arguments.get("x-max-length-bytes", drain.size + 1))
