"""Replays and purges: of what was shown to the operator, and of nothing that came since."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from broker import BrokerError, Delivery, Outcome
from broker.browse import browse
from broker.drain import WHY
from broker.republishing import again
from broker.session import session
from cli.console import StepCount, progress
from cli.dlq.search import CLIENT, letter_of
from cli.dlq.sources import Source, queue_of
from contract.dead_letters import DeadLetter, is_trace
from contract.replay import destination, fresh
from contract.senders import Sender
from contract.topology import RETRY_EXCHANGE, Lane

IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""Bodies in memory. Those that do not fit stay in the queue for the next round through it."""
ALARM_SECONDS = 60.0  # as long as nothing at all is confirmed


@dataclass
class Replay:
    """A replay: how dead letters become tasks again, and how far that is."""

    lane: Lane | None = None
    fresh: bool = False
    senders: Mapping[str, Sender] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)  # by queue
    failure: str = ""

    def queue_of(self, letter: DeadLetter) -> str:
        """Return the queue to which the letter goes: a sender's to one of its own."""
        return destination(letter, self.lane, self.senders.get(letter.sender or ""))


async def purge(urls: Sequence[str], letters: Sequence[DeadLetter]) -> int:
    """Delete the letters; returns how many were still there. Raises BrokerError."""
    async with progress("purging", len(letters)) as shown, session(urls, CLIENT) as connection:
        for source, meant in _by_source(letters):
            async with browse(connection, queue_of(source)) as looking:
                await looking.look(partial(_purge, meant, shown))
        return shown.done


def _purge(meant: Set[str], shown: StepCount, delivery: Delivery) -> None:
    if letter_of(delivery).dead_letter_id in meant and delivery.ack():
        shown.done += 1


def _by_source(letters: Sequence[DeadLetter]) -> list[tuple[Source, Set[str]]]:
    """The letters' ids, by the queue that they are in."""
    found: defaultdict[str | None, set[str]] = defaultdict(set)
    for letter in letters:
        found[letter.sender].add(letter.dead_letter_id)
    return [(None if name is None else Sender(name=name), meant) for name, meant in found.items()]


async def replay(urls: Sequence[str], letters: Sequence[DeadLetter], how: Replay) -> None:
    """Publish each as a new task, confirmed, and only then acknowledge it: a crash in between leaves both.

    What was done is in `how`, also when it ends early with `how.failure`. Raises BrokerError.
    """
    async with progress("replaying", len(letters)) as shown:
        for source, meant in _by_source(letters):
            while not how.failure and await _round(urls, source, meant, how, shown):
                pass


async def _round(urls: Sequence[str], source: Source, meant: Set[str], how: Replay, shown: StepCount) -> int:
    """Go once through the queue; returns how many could not be taken along for lack of memory."""
    # Two connections: in a broker alarm the publishing one is not read, and acknowledgements must be.
    async with (
        session(urls, f"{CLIENT} publish") as publishing,
        session(urls, CLIENT) as connection,
        browse(connection, queue_of(source)) as looking,
    ):
        publisher = await publishing.publisher()
        flight = Flight()
        left = 0

        def each(delivery: Delivery) -> None:
            nonlocal left
            letter = letter_of(delivery, source)
            if letter.dead_letter_id not in meant or how.failure:
                return
            full = flight.size > 0 and flight.size + letter.size > IN_FLIGHT_BYTES
            if full or not publisher.usable:
                left += 1
                return
            queue = how.queue_of(letter)
            body, headers = delivery.body, dict[str, Any]()
            if how.fresh:
                body, headers = fresh(body, content_type=delivery.content_type, captured=time.time())
            landing = flight.landing(delivery, queue, how, shown)
            message = again(delivery, queue, headers=headers, without=is_trace, body=body)
            if source is not None:  # by its queue, it stays the sender's
                message = replace(message, exchange=RETRY_EXCHANGE)
            publisher.publish(message, landing)

        await looking.look(each)
        await flight.landed(how)
        if left and not publisher.usable:
            raise BrokerError(WHY[Outcome.BLOCKED if publisher.blocked else Outcome.DISCONNECTED])
        return left


class Flight:
    """Messages that are published and not confirmed yet; `size` in bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._count = 0
        self._none = asyncio.Event()

    def landing(
        self, delivery: Delivery, queue: str, how: Replay, shown: StepCount
    ) -> Callable[[Outcome], None]:
        """Count one more as under way; returns what to do once its outcome is known."""
        size = len(delivery.body)
        self.size += size
        self._count += 1

        def done(outcome: Outcome) -> None:
            self.size -= size
            self._count -= 1
            if not self._count:
                self._none.set()
            if outcome is Outcome.CONFIRMED:
                delivery.ack()
                how.done[queue] += 1
                shown.done += 1
            else:
                how.failure = how.failure or WHY[outcome].format(queue)

        return done

    async def landed(self, how: Replay) -> None:
        """Wait until every outcome is known."""
        while self._count:
            self._none.clear()
            try:
                await asyncio.wait_for(self._none.wait(), ALARM_SECONDS)
            except TimeoutError:
                how.failure = WHY[Outcome.BLOCKED]
                return  # what is under way may have arrived or not: it stays a dead letter as well
