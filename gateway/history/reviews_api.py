"""What people say of events: seen, and feedback on the detections in their pictures. Reading is for everybody."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection, Row
from starlette.responses import Response

from contract.api.history import EventCountView, EventsSeenView, EventView, Feedback
from gateway.history import queries, reviews
from gateway.history.changes import change
from gateway.history.events_api import EXAMPLE, NO_EVENT, unknown
from gateway.history.filters import MAX_EVENT_ID, EventFilter
from gateway.history.parameters import ERRORS, EventId, EventParameters, now
from gateway.history.readers import Readers
from gateway.history.recorder import Recorder
from gateway.history.reviews import MAX_NOTE
from gateway.history.views import event_view
from gateway.http.documentation import answer
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response
from gateway.security.access import Asker, asked_by, identity_of
from runtime.logs import get_logger

log = get_logger("history")

MARKING_SECONDS = 20.0
EVENT = answer("The event as it is now.", EXAMPLE) | NO_EVENT


class SeenParameters(EventParameters):
    """Which events were seen."""

    newest: int = Field(
        ge=0,
        le=MAX_EVENT_ID,
        description="`newest` of GET /api/events/count: what was stored later is left alone",
    )


class FeedbackParameters(QueryParameters):
    """Feedback on an event's picture."""

    feedback: Feedback = Field(
        description="wrong: a detection in it is not a face; missed: a face in it was overlooked"
    )
    note: str = Field("", max_length=MAX_NOTE, pattern=r"^[^\x00]*$", description="in your own words")


def reviews_router(readers: Readers, recorder: Recorder, gap: float, prefix: str) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/events", tags=["History"], responses=ERRORS)

    async def done(
        request: Request,
        event_id: int,
        what: str,
        deed: Callable[[Connection], Row[Any] | None],
        **words: Any,
    ) -> Response:
        row = await change(recorder, deed)
        if row is None:
            return unknown(event_id)
        log.info(what, event_id=event_id, camera_id=row.camera_id, **words, **asked_by(request.scope))
        return json_response(event_view(row, now(), gap, prefix))

    @router.get(
        "/count",
        response_model=EventCountView,
        responses=answer("The number.", {"count": 412, "newest": 9317}),
        operation_id="count_events",
        summary="Count events",
    )
    async def count(asked: Annotated[EventParameters, Query()], holders: Asker) -> Response:
        """How many events match. With `newest` of the answer exactly these can be marked as seen."""
        wanted = asked.filter()

        def look(connection: Connection) -> EventCountView:
            newest = reviews.newest_id(connection)
            return EventCountView(queries.count(connection, wanted, newest), newest)

        return json_response(await readers.ask(holders, "event_count", look))

    @router.post(
        "/seen",
        response_model=EventsSeenView,
        responses=answer("How many.", {"marked": 412, "left": 0}),
        operation_id="see_events",
        summary="Mark all events of a filter as seen",
    )
    async def see_all(
        request: Request, asked: Annotated[SeenParameters, Query()], holders: Asker
    ) -> Response:
        """All that match, up to `newest`. What was seen before stays as it was. GET /api/events/count with the same
        filter and `seen=false` tells their number before.
        """
        wanted, newest, who = asked.filter(), asked.newest, identity_of(request.scope).name
        until = time.monotonic() + MARKING_SECONDS
        marked = 0
        while time.monotonic() < until:
            deed = partial(reviews.see_some, asked=wanted, newest=newest, who=who, when=now())
            count = await change(recorder, deed)
            marked += count
            if not count:
                break
        unseen = partial(_unseen, asked=wanted, newest=newest)
        left = await readers.ask(holders, "event_count", unseen)
        log.info("events marked as seen", count=marked, newest=newest, **asked_by(request.scope))
        return json_response(EventsSeenView(marked, left))

    @router.post(
        "/{event_id}/seen",
        response_model=EventView,
        responses=EVENT,
        operation_id="see_event",
        summary="Mark an event as seen",
    )
    async def see(request: Request, event_id: EventId) -> Response:
        """Who saw it first, and when, stays."""
        who, when = identity_of(request.scope).name, now()
        deed = partial(reviews.see, event_id=event_id, who=who, when=when)
        return await done(request, event_id, "event marked as seen", deed)

    @router.delete(
        "/{event_id}/seen",
        response_model=EventView,
        responses=EVENT,
        operation_id="unsee_event",
        summary="Mark an event as unseen",
    )
    async def unsee(request: Request, event_id: EventId) -> Response:
        """As if nobody had seen it."""
        deed = partial(reviews.forget_seen, event_id=event_id)
        return await done(request, event_id, "event marked as unseen", deed)

    @router.post(
        "/{event_id}/feedback",
        response_model=EventView,
        responses=EVENT,
        operation_id="judge_event",
        summary="Say what the detector got wrong",
    )
    async def judge(
        request: Request, event_id: EventId, asked: Annotated[FeedbackParameters, Query()]
    ) -> Response:
        """In place of what was said before; the event counts as seen. Exports have it, with the frame's boxes."""
        deed = partial(
            reviews.judge,
            event_id=event_id,
            feedback=asked.feedback,
            note=asked.note.strip(),
            who=identity_of(request.scope).name,
            when=now(),
        )
        return await done(request, event_id, "feedback on an event", deed, feedback=asked.feedback)

    @router.delete(
        "/{event_id}/feedback",
        response_model=EventView,
        responses=EVENT,
        operation_id="withdraw_feedback",
        summary="Take feedback back",
    )
    async def withdraw(request: Request, event_id: EventId) -> Response:
        """The event stays seen."""
        deed = partial(reviews.withdraw, event_id=event_id)
        return await done(request, event_id, "feedback on an event withdrawn", deed)

    return router


def _unseen(connection: Connection, asked: EventFilter, newest: int) -> int:
    if asked.seen:
        return 0
    return queries.count(connection, replace(asked, seen=False), newest)
