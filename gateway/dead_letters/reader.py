"""The dead letters as they were at the last look.

AMQP can look at the newest messages only by taking all of them, and each look adds to their count of deliveries
(broker.browse). So what was seen is remembered: while the queue has as many messages as then nothing is read, a look is
followed by a rest that is many times as long, and there is never a second one at the same time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from broker import BrokerError, Delivery
from broker.browse import Bounds, Browse, browse
from broker.dead_letters import Source, letter_of, queue_of
from broker.errors import Busy, NoSuchQueue
from broker.session import Session, session
from contract.dead_letters import DeadLetter
from contract.senders import Sender

BOUNDS = Bounds(messages=10_000, size=1 << 30, seconds=20.0)  # the first two are the queue's own
FRESH_SECONDS = 5.0
REST = 20
"""After a look, so many times as long as it took there is no other: it may move a gigabyte."""
UNCHANGED_SECONDS = 60.0
"""So old may a look be although the queue has as many messages as then: a full one drops one for each new one."""
CONNECT_SECONDS = 5.0
BUSY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class DeadLetterSnapshot:
    """What one look found, newest first; `complete` is false where a bound ended it early, or where the queue has other
    messages now. `time` of the look, in Unix seconds."""

    letters: Sequence[DeadLetter]
    total: int
    complete: bool
    time: float


class DeadLetterReader:
    """Looks at the dead-letter queues, `senders()` included, on a connection of its own, when asked.

    Who looks or changes something else holds `queues` meanwhile: only one at a time can.
    """

    def __init__(self, urls: Sequence[str], senders: Callable[[], Sequence[Sender]] = tuple) -> None:
        self.queues = asyncio.Lock()
        self._urls = urls
        self._senders = senders
        self._one = asyncio.Lock()
        self._last: DeadLetterSnapshot | BrokerError | None = None
        self._when = 0.0
        self._queues: dict[str, _WatchedLetters] = {}

    async def read(self) -> DeadLetterSnapshot:
        """Return what is known, by a glance at the queues that is at most some seconds old. Raises BrokerError; a
        failure is as old at most."""
        async with self._one:
            if self._last is None or time.monotonic() - self._when > FRESH_SECONDS:
                if self.queues.locked() and isinstance(self._last, DeadLetterSnapshot):
                    return replace(self._last, complete=False)
                try:
                    async with self._held():
                        self._last = await self._glance()
                except BrokerError as error:
                    self._last = error
                self._when = time.monotonic()
            if isinstance(self._last, BrokerError):
                raise self._last
            return self._last

    def forget(self) -> None:
        """Look again when next asked: something was changed."""
        self._when = float("-inf")
        for each in self._queues.values():
            each.forget()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        """Hold `queues` for the length of the block. Raises Busy."""
        try:
            await asyncio.wait_for(self.queues.acquire(), BUSY_SECONDS)
        except TimeoutError:
            raise Busy("dead letters are being replayed, purged or read: ask again in some seconds") from None
        try:
            yield
        finally:
            self.queues.release()

    async def _glance(self) -> DeadLetterSnapshot:
        """See how many there are in each queue, and look at them if need be."""
        before = self._queues
        self._queues = {}
        for sender in (None, *self._senders()):
            queue = queue_of(sender)
            self._queues[queue] = before.get(queue) or _WatchedLetters(queue, sender)
        until = time.monotonic() + BOUNDS.seconds
        async with session(self._urls, "gateway dlq", CONNECT_SECONDS) as connection:
            found = [await each.glance(connection, until) for each in self._queues.values()]
        letters = [letter for each in found for letter in each.letters]
        letters.sort(key=cursor_of, reverse=True)
        return DeadLetterSnapshot(
            letters,
            sum(each.total for each in found),
            all(each.complete for each in found),
            min(each.time for each in found),
        )


class _WatchedLetters:
    """The dead letters of one queue, as they were at the last look."""

    def __init__(self, queue: str, sender: Source) -> None:
        self._queue = queue
        self._sender = sender
        self._seen: DeadLetterSnapshot | None = None
        self._looked = float("-inf")  # when the last look ended, and until when there is no other
        self._rests_until = float("-inf")

    async def glance(self, connection: Session, until: float) -> DeadLetterSnapshot:
        """See how many there are, and look at them if need be, until then (monotonic). Raises BrokerError."""
        try:
            async with browse(connection, self._queue, wait=BUSY_SECONDS) as looking:
                began = time.monotonic()
                if self._seen is not None and self._will_do(self._seen, looking.total, began):
                    return replace(
                        self._seen,
                        total=looking.total,
                        complete=self._seen.complete and self._seen.total == looking.total,
                    )
                self._seen = await self._look(looking, replace(BOUNDS, seconds=max(0.0, until - began)))
                self._looked = time.monotonic()
                self._rests_until = self._looked + REST * (self._looked - began)
                return self._seen
        except NoSuchQueue:
            return DeadLetterSnapshot([], 0, True, time.time())

    def forget(self) -> None:
        """Look at the next glance, whatever was seen."""
        self._looked = self._rests_until = float("-inf")

    def _will_do(self, seen: DeadLetterSnapshot, total: int, now: float) -> bool:
        """Whether what was seen is shown again."""
        if now < self._rests_until:
            return True
        return total == seen.total and (total == 0 or now - self._looked < UNCHANGED_SECONDS)

    async def _look(self, looking: Browse, bounds: Bounds) -> DeadLetterSnapshot:
        letters: list[DeadLetter] = []

        def each(delivery: Delivery) -> None:
            letters.append(letter_of(delivery, self._sender))

        looked = await looking.look(each, bounds)
        return DeadLetterSnapshot(letters, looked.total, looked.complete, time.time())


def cursor_of(letter: DeadLetter) -> str:
    """Where a dead letter stands in the list; sorts as text. Those that name no time come last."""
    return f"{max(0.0, letter.time or 0.0):017.6f}-{letter.dead_letter_id}"
