"""Whole messages of dead letters, body and headers, when somebody looks at one.

AMQP knows no way to read one message: each time the whole queue is gone through. So one look serves all who ask
meanwhile, and what was fetched is kept for a while, within bounds.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker import BrokerError, Delivery
from broker.browse import browse
from broker.dead_letters import Source, letter_of, queue_of
from broker.session import session
from contract.dead_letters import DeadLetter
from contract.senders import Sender
from gateway.dead_letters.reader import BOUNDS, CONNECT_SECONDS, DeadLetterReader

AT_ONCE = 8
KEPT_BYTES = 48 << 20
CLIENT = "gateway dlq message"


@dataclass(frozen=True, slots=True)
class LetterMessage:
    """A dead letter as it lies in its queue."""

    letter: DeadLetter
    body: bytes
    content_type: str | None
    headers: Mapping[str, Any]
    message_id: str | None


class LetterMessages:
    """Fetches messages of the letters that `reader` has seen."""

    def __init__(self, urls: Sequence[str], reader: DeadLetterReader) -> None:
        self._urls = urls
        self._reader = reader
        self._wanted: dict[str, tuple[DeadLetter, asyncio.Future[LetterMessage | None]]] = {}
        self._kept: OrderedDict[str, LetterMessage] = OrderedDict()
        self._looking: asyncio.Task[None] | None = None

    async def get(self, dead_letter_id: str) -> LetterMessage | None:
        """The message; None: there is no such dead letter, or not any more. Raises BrokerError."""
        look = await self._reader.read()
        letter = next((each for each in look.letters if each.dead_letter_id == dead_letter_id), None)
        if letter is None:
            return None
        if kept := self._kept.get(dead_letter_id):
            self._kept.move_to_end(dead_letter_id)
            return kept
        if dead_letter_id not in self._wanted:
            future: asyncio.Future[LetterMessage | None] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waited
            self._wanted[dead_letter_id] = letter, future
        _, future = self._wanted[dead_letter_id]
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._serve())
        return await asyncio.shield(future)

    async def stop(self) -> None:
        """End a look that is under way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _serve(self) -> None:
        while self._wanted:
            async with self._reader.queues:
                wanted = dict(list(self._wanted.items())[:AT_ONCE])
                try:
                    found = await self._look([letter for letter, _ in wanted.values()])
                except BrokerError as error:
                    self._answer(wanted, error)
                else:
                    self._answer(wanted, found)

    def _answer(
        self,
        wanted: Mapping[str, tuple[DeadLetter, asyncio.Future[LetterMessage | None]]],
        found: Mapping[str, LetterMessage] | BrokerError,
    ) -> None:
        for dead_letter_id, (_, future) in wanted.items():
            del self._wanted[dead_letter_id]
            if isinstance(found, BrokerError):
                future.set_exception(found)
                continue
            message = found.get(dead_letter_id)
            future.set_result(message)
            if message is not None:
                self._keep(message)

    def _keep(self, message: LetterMessage) -> None:
        self._kept[message.letter.dead_letter_id] = message
        while sum(len(each.body) for each in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)

    async def _look(self, letters: Sequence[DeadLetter]) -> dict[str, LetterMessage]:
        by_source: defaultdict[str | None, set[str]] = defaultdict(set)
        for letter in letters:
            by_source[letter.sender].add(letter.dead_letter_id)
        found: dict[str, LetterMessage] = {}
        async with session(self._urls, CLIENT, CONNECT_SECONDS) as connection:
            for name, meant in by_source.items():
                source: Source = None if name is None else Sender(name=name)
                seen = {letter.dead_letter_id: letter for letter in letters if letter.sender == name}

                def each(
                    delivery: Delivery,
                    source: Source = source,
                    meant: set[str] = meant,
                    seen: Mapping[str, DeadLetter] = seen,
                ) -> None:
                    dead_letter_id = letter_of(delivery, source).dead_letter_id
                    if dead_letter_id in meant:
                        found[dead_letter_id] = LetterMessage(
                            seen[dead_letter_id],
                            delivery.body,
                            delivery.content_type,
                            dict(delivery.headers),
                            delivery.message_id,
                        )

                async with browse(connection, queue_of(source)) as looking:
                    await looking.look(each, BOUNDS)
        return found
