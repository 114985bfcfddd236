"""GET /api/dlq: the dead letters, without their pictures. `framefleet dlq` does the rest.

Each look goes through the whole queue and adds to its messages' count of deliveries (broker.browse), so one look
serves everybody who asks within a few seconds, and there is never a second one at the same time.
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
from broker.browse import Bounds, Looked, browse
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
    """What one look found, newest first; `complete` is false where a bound ended it early. `time` in Unix seconds."""

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

    async def read(self) -> DeadLetterSnapshot:
        """Return a look that is at most some seconds old. Raises BrokerError; a failure is as old at most."""
        async with self._one:
            if self._last is None or time.monotonic() - self._when > FRESH_SECONDS:
                try:
                    self._last = await self._look()
                except BrokerError as error:
                    self._last = error
                self._when = time.monotonic()
            if isinstance(self._last, BrokerError):
                raise self._last
            return self._last

    async def _look(self) -> DeadLetterSnapshot:
        letters: list[DeadLetter] = []
        total, complete = 0, True
        until = time.monotonic() + BOUNDS.seconds
        async with session(self._urls, "gateway dlq", CONNECT_SECONDS) as connection:
            for sender in (None, *self._senders()):
                bounds = replace(BOUNDS, seconds=max(0.0, until - time.monotonic()))
                looked = await _look_at(connection, sender, letters, bounds)
                total += looked.total
                complete = complete and looked.complete
        letters.sort(key=_cursor, reverse=True)
        return DeadLetterSnapshot(letters, total, complete, time.time())


async def _look_at(
    connection: Session, sender: Sender | None, letters: list[DeadLetter], bounds: Bounds
) -> Looked:
    """Add the dead letters of the sender, or those without one. Raises BrokerError."""

    def each(delivery: Delivery) -> None:
        letter = parse_dead_letter(
            delivery.body,
            content_type=delivery.content_type,
            headers=delivery.headers,
            message_id=delivery.message_id,
        )
        letters.append(letter if sender is None else letter_from(sender, letter))

    queue = DEAD_LETTER_QUEUE if sender is None else sender.dead_letter_queue
    try:
        async with browse(connection, queue, wait=BUSY_SECONDS) as looking:
            return await looking.look(each, bounds)
    except NoSuchQueue:
        return Looked(0, 0, 0)


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
        """Frames that could not be computed, newest first, a page at a time, at most five seconds old. `total` counts
        the queues, `matching` what fits the filters. `framefleet dlq` shows pictures, replays and purges.
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
