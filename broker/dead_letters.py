"""Replays and purges dead letters: those that are named, and nothing that came since.

Each is published as a new task, confirmed, and only then acknowledged: whatever ends in between leaves it in both
places and never in neither, and the same call goes on where the last one ended.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from broker.browse import browse
from broker.consumer import Delivery
from broker.drain import WHY
from broker.errors import BrokerError
from broker.publisher import Outcome, Publisher
from broker.republishing import again
from broker.session import session
from contract.dead_letters import DeadLetter, is_trace, letter_from, parse_dead_letter
from contract.replay import destination, fresh
from contract.senders import Sender
from contract.topology import DEAD_LETTER_QUEUE, RETRY_EXCHANGE, Lane

IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""Bodies in memory. Those that do not fit stay in the queue for the next round through it."""
ALARM_SECONDS = 60.0  # as long as nothing at all is confirmed

Source = Sender | None
"""None: the lanes' own dead letters, of whoever has no name."""


def queue_of(source: Source) -> str:
    """Return the source's queue of dead letters."""
    return DEAD_LETTER_QUEUE if source is None else source.dead_letter_queue


def letter_of(delivery: Delivery, source: Source = None) -> DeadLetter:
    """Read a delivery as a dead letter of that source."""
    letter = parse_dead_letter(
        delivery.body,
        content_type=delivery.content_type,
        headers=delivery.headers,
        message_id=delivery.message_id,
    )
    return letter if source is None else letter_from(source, letter)


@dataclass(kw_only=True)
class LetterJob:
    """A replay or a purge, and how far that is. `client` is the connection's name, `changed` hears of each letter.

    Set `stopped` and nothing more is begun; what is under way is finished. `failure` says why it ended early.
    """

    client: str
    changed: Callable[[DeadLetter], None] = lambda letter: None
    stopped: bool = False
    failure: str = ""
    outcome: Outcome | None = None  # of the message that failed

    @property
    def over(self) -> bool:
        """Nothing more is begun."""
        return self.stopped or bool(self.failure)

    def fail(self, outcome: Outcome, queue: str) -> None:
        """Note the first failure."""
        if not self.failure:
            self.failure, self.outcome = WHY[outcome].format(queue), outcome


@dataclass(kw_only=True)
class Replay(LetterJob):
    """How dead letters become tasks again; `done` counts them by queue."""

    lane: Lane | None = None
    fresh: bool = False
    senders: Mapping[str, Sender] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def queue_of(self, letter: DeadLetter) -> str:
        """Return the queue to which the letter goes: a sender's to one of its own."""
        return destination(letter, self.lane, self.senders.get(letter.sender or ""))


async def purge(urls: Sequence[str], letters: Iterable[DeadLetter], how: LetterJob) -> None:
    """Delete the letters that are still there. Raises BrokerError."""
    async with session(urls, how.client) as connection:
        for source, meant in _by_source(letters):
            if how.over:
                return
            async with browse(connection, queue_of(source)) as looking:

                def each(delivery: Delivery, source: Source = source, meant: Set[str] = meant) -> None:
                    letter = letter_of(delivery, source)
                    if letter.dead_letter_id in meant and not how.over and delivery.ack():
                        how.changed(letter)

                await looking.look(each)


async def replay(urls: Sequence[str], letters: Iterable[DeadLetter], how: Replay) -> None:
    """Replay the letters that are still there. What was done is in `how`, also when it ends early.

    Raises BrokerError.
    """
    for source, meant in _by_source(letters):
        while not how.over and await _round(urls, source, meant, how):
            pass


def _by_source(letters: Iterable[DeadLetter]) -> list[tuple[Source, Set[str]]]:
    """The letters' ids, by the queue that they are in."""
    found: defaultdict[str | None, set[str]] = defaultdict(set)
    for letter in letters:
        found[letter.sender].add(letter.dead_letter_id)
    return [(None if name is None else Sender(name=name), meant) for name, meant in found.items()]


async def _round(urls: Sequence[str], source: Source, meant: Set[str], how: Replay) -> int:
    """Go once through the queue; returns how many could not be taken along for lack of memory."""
    # Two connections: in a broker alarm the publishing one is not read, and acknowledgements must be.
    async with (
        session(urls, f"{how.client} publish") as publishing,
        session(urls, how.client) as connection,
        browse(connection, queue_of(source)) as looking,
    ):
        publisher = await publishing.publisher()
        flight = _Flight(publisher, how)
        left = 0

        def each(delivery: Delivery) -> None:
            nonlocal left
            letter = letter_of(delivery, source)
            if letter.dead_letter_id not in meant or how.over:
                return
            if flight.full(letter.size) or not publisher.usable:
                left += 1
                return
            flight.send(delivery, letter)

        await looking.look(each)
        await flight.landed()
        if left and not publisher.usable and not how.over:
            raise BrokerError(WHY[Outcome.BLOCKED if publisher.blocked else Outcome.DISCONNECTED])
        return left


class _Flight:
    """Messages that are published and not confirmed yet."""

    def __init__(self, publisher: Publisher, how: Replay) -> None:
        self._publisher = publisher
        self._how = how
        self._size = 0
        self._count = 0
        self._none = asyncio.Event()

    def full(self, size: int) -> bool:
        """Whether so many more bytes would be too many; one message always has room."""
        return self._size > 0 and self._size + size > IN_FLIGHT_BYTES

    def send(self, delivery: Delivery, letter: DeadLetter) -> None:
        """Publish the letter as a task; once that is confirmed it is not a dead letter any more."""
        how, size = self._how, letter.size
        queue = how.queue_of(letter)
        body, headers = delivery.body, dict[str, Any]()
        if how.fresh:
            body, headers = fresh(body, content_type=delivery.content_type, captured=time.time())
        message = again(delivery, queue, headers=headers, without=is_trace, body=body)
        if letter.sender is not None:  # by its queue, it stays the sender's
            message = replace(message, exchange=RETRY_EXCHANGE)
        self._size += size
        self._count += 1

        def done(outcome: Outcome) -> None:
            self._size -= size
            self._count -= 1
            if not self._count:
                self._none.set()
            if outcome is Outcome.CONFIRMED:
                delivery.ack()
                how.done[queue] += 1
                how.changed(letter)
            else:
                how.fail(outcome, queue)

        self._publisher.publish(message, done)

    async def landed(self) -> None:
        """Wait until every outcome is known."""
        while self._count:
            self._none.clear()
            try:
                await asyncio.wait_for(self._none.wait(), ALARM_SECONDS)
            except TimeoutError:
                self._how.fail(Outcome.BLOCKED, "")
                return  # what is under way may have arrived or not: it stays a dead letter as well
