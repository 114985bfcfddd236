"""GET /api/dlq: the dead letters, without their pictures. `framefleet dlq` does the rest.

Each look goes through the whole queue and adds to its messages' count of deliveries (broker.browse), so one look
serves everybody who asks within a few seconds, and there is never a second one at the same time.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from broker import BrokerError, Delivery
from broker.browse import Bounds, browse
from broker.errors import Busy, NoSuchQueue
from broker.session import session
from contract.api.dead_letters import DeadLettersView
from contract.dead_letters import DeadLetter, parse_dead_letter
from contract.topology import DEAD_LETTER_QUEUE
from gateway.http.documented import answer, errors
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
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, newest first; `complete` is false where a bound ended it early. `time` in Unix seconds."""

    letters: Sequence[DeadLetter]
    total: int
    complete: bool
    time: float


class DeadLetterReader:
    """Looks at the dead-letter queue on a connection of its own, when asked."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._one = asyncio.Lock()
        self._last: Look | BrokerError | None = None
        self._when = 0.0

    async def read(self) -> Look:
        """A look that is at most some seconds old. Raises BrokerError, a failure being as old at most."""
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

    async def _look(self) -> Look:
        letters: list[DeadLetter] = []

        def each(delivery: Delivery) -> None:
            letters.append(
                parse_dead_letter(
                    delivery.body,
                    content_type=delivery.content_type,
                    headers=delivery.headers,
                    message_id=delivery.message_id,
                )
            )

        try:
            async with (
                session(self._urls, "gateway dlq", CONNECT_SECONDS) as connection,
                browse(connection, DEAD_LETTER_QUEUE, wait=BUSY_SECONDS) as looking,
            ):
                looked = await looking.look(each, BOUNDS)
        except NoSuchQueue:
            return Look([], 0, True, time.time())
        letters.sort(key=_cursor, reverse=True)
        return Look(letters, looked.total, looked.complete, time.time())


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
        limit: Annotated[int, Query(ge=1, le=1_000, description="how many at most")] = 100,
        cursor: Annotated[
            str, Query(max_length=64, description="`next` of the page before; empty: the first page")
        ] = "",
        reason: Annotated[
            str, Query(max_length=64, description="only with this reason", examples=["not_json"])
        ] = "",
        camera: Annotated[
            str, Query(max_length=64, description="only of this camera", examples=["gate-3"])
        ] = "",
    ) -> Response:
        """Frames that could not be computed, newest first, a page at a time, at most five seconds old. `total` counts
        the queue, `matching` what fits the filters. `framefleet dlq` shows pictures, replays and purges.
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
            if (not reason or letter.reason == reason) and (not camera or letter.camera_id == camera)
        ]
        rest = [letter for letter in matching if not cursor or _cursor(letter) < cursor]
        page = rest[:limit]
        following = _cursor(page[-1]) if len(rest) > limit else None
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
