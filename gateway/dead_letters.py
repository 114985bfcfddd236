"""GET /api/dlq: the dead letters, without their pictures. `framefleet dlq` does the rest.

AMQP can look at the newest messages only by taking all of them, and each look adds to their count of deliveries
(broker.browse). So what was seen is remembered: while the queue has as many messages as then nothing is read, a look is
followed by a rest that is many times as long, and there is never a second one at the same time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from broker import BrokerError, Delivery
from broker.browse import Bounds, Browse, browse
from broker.errors import Busy, NoSuchQueue
from broker.session import Session, session
from contract.api.dead_letters import DeadLettersView
from contract.dead_letters import DeadLetter, letter_from, parse_dead_letter
from contract.senders import Sender
from contract.topology import DEAD_LETTER_QUEUE
from gateway.http.documentation import answer, errors
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response, problem

BOUNDS = Bounds(messages=10_000, size=1 << 30, seconds=20.0)  # the first two are the queue's own
FRESH_SECONDS = 5.0
REST = 20
"""After a look, so many times as long as it took there is no other: it may move a gigabyte."""
UNCHANGED_SECONDS = 60.0
"""So old may a look be although the queue has as many messages as then: a full one drops one for each new one."""
CONNECT_SECONDS = 5.0
BUSY_SECONDS = 2.0

EXAMPLE: dict[str, Any] = {
    "total": 1,
    "matching": 1,
    "complete": True,
    "time": 1795216000.2,
    "next": None,
    "items": [
        {
            "dead_letter_id": "3f7a0c52b1d9",
            "reason": "not_an_image",
            "error": "the frame is neither JPEG nor PNG",
            "origin": "frame_queue",
            "node_id": "a1b2c3",
            "time": 1795215990.1,
            "attempts": 1,
            "camera_id": "gate-3",
            "frame_id": "gate-3:1795210000:4711",
            "timestamp": 1795215990.0,
            "content_type": "application/json",
            "size": 51,
            "deaths": [],
            "sender": None,
        }
    ],
}


@dataclass(frozen=True, slots=True)
class DeadLetterSnapshot:
    """What one look found, newest first; `complete` is false where a bound ended it early, or where the queue has other
    messages now. `time` of the look, in Unix seconds."""

    letters: Sequence[DeadLetter]
    total: int
    complete: bool
    time: float


class DeadLetterReader:
    """Looks at the dead-letter queues, `senders()` included, on a connection of its own, when asked."""

    def __init__(self, urls: Sequence[str], senders: Callable[[], Sequence[Sender]] = tuple) -> None:
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
                try:
                    self._last = await self._glance()
                except BrokerError as error:
                    self._last = error
                self._when = time.monotonic()
            if isinstance(self._last, BrokerError):
                raise self._last
            return self._last

    async def _glance(self) -> DeadLetterSnapshot:
        """See how many there are in each queue, and look at them if need be."""
        before = self._queues
        self._queues = {}
        for sender in (None, *self._senders()):
            queue = DEAD_LETTER_QUEUE if sender is None else sender.dead_letter_queue
            self._queues[queue] = before.get(queue) or _WatchedLetters(queue, sender)
        until = time.monotonic() + BOUNDS.seconds
        async with session(self._urls, "gateway dlq", CONNECT_SECONDS) as connection:
            found = [await each.glance(connection, until) for each in self._queues.values()]
        letters = [letter for each in found for letter in each.letters]
        letters.sort(key=_cursor, reverse=True)
        return DeadLetterSnapshot(
            letters,
            sum(each.total for each in found),
            all(each.complete for each in found),
            min(each.time for each in found),
        )


class _WatchedLetters:
    """The dead letters of one queue, as they were at the last look."""

    def __init__(self, queue: str, sender: Sender | None) -> None:
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

    def _will_do(self, seen: DeadLetterSnapshot, total: int, now: float) -> bool:
        """Whether what was seen is shown again."""
        if now < self._rests_until:
            return True
        return total == seen.total and (total == 0 or now - self._looked < UNCHANGED_SECONDS)

    async def _look(self, looking: Browse, bounds: Bounds) -> DeadLetterSnapshot:
        letters: list[DeadLetter] = []

        def each(delivery: Delivery) -> None:
            letter = parse_dead_letter(
                delivery.body,
                content_type=delivery.content_type,
                headers=delivery.headers,
                message_id=delivery.message_id,
            )
            letters.append(letter if self._sender is None else letter_from(self._sender, letter))

        looked = await looking.look(each, bounds)
        return DeadLetterSnapshot(letters, looked.total, looked.complete, time.time())


class DeadLetterParameters(QueryParameters):
    """A page of dead letters."""

    limit: int = Field(100, ge=1, le=1_000, description="how many at most")
    cursor: str = Field("", max_length=64, description="`next` of the page before; empty: the first page")
    reason: str = Field("", max_length=64, description="only with this reason", examples=["not_json"])
    camera: str = Field("", max_length=64, description="only of this camera", examples=["gate-3"])
    sender: str = Field("", max_length=64, description="only of this sender", examples=["school"])


def dead_letters_router(reader: DeadLetterReader) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["Cluster"])

    @router.get(
        "/dlq",
        response_model=DeadLettersView,
        responses=answer("The page.", EXAMPLE)
        | errors({503: "RabbitMQ cannot be reached: Connection refused"}),
        operation_id="list_dead_letters",
        summary="List dead letters",
    )
    async def dead_letters(
        asked: Annotated[DeadLetterParameters, Query()],
    ) -> Response:
        """Frames that could not be computed, newest first, a page at a time, as they were at `time`; operators only.
        `total` counts the queues as they are now, `matching` what fits the filters, and `complete` is false while not
        all have been looked at. `framefleet dlq` shows pictures, replays and purges.
        """
        try:
            look = await reader.read()
        except Busy as error:
            return problem(503, "unavailable", str(error), {"Retry-After": "5"})
        except BrokerError as error:
            return problem(503, "unavailable", str(error), {"Retry-After": "10"})
        matching = [
            letter
            for letter in look.letters
            if (not asked.reason or letter.reason == asked.reason)
            and (not asked.camera or letter.camera_id == asked.camera)
            and (not asked.sender or letter.sender == asked.sender)
        ]
        rest = [letter for letter in matching if not asked.cursor or _cursor(letter) < asked.cursor]
        page = rest[: asked.limit]
        following = _cursor(page[-1]) if len(rest) > asked.limit else None
        view = {
            "total": look.total,
            "matching": len(matching),
            "complete": look.complete,
            "time": look.time,
            "next": following,
            "items": page,
        }
        return json_response(view)

    return router


def _cursor(letter: DeadLetter) -> str:
    """Where a dead letter stands in the list; sorts as text. Those that name no time come last."""
    return f"{max(0.0, letter.time or 0.0):017.6f}-{letter.dead_letter_id}"
