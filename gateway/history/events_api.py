"""GET /api/events: presence, a page at a time, with pictures."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Row
from starlette.responses import Response

from contract.api.history import EventsView, EventView
from gateway.history import queries
from gateway.history.filters import Cursor
from gateway.history.parameters import (
    CURSOR_PATTERN,
    ERRORS,
    EventId,
    EventParameters,
    now,
    read_cursor,
)
from gateway.history.readers import Readers
from gateway.history.views import event_view
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import Asker

EXAMPLE = {
    "event_id": 17,
    "camera_id": "gate-3",
    "name": "North gate",
    "group": "gates",
    "start": 1795216000.123,
    "end": 1795216009.41,
    "open": False,
    "frames": 46,
    "faces": 2,
    "confidence": 0.93,
    "model": "yunet@ebafce4e",
    "thumbnail": "/api/events/17/thumbnail?quality=2093",
    "picture": "/api/events/17/picture?quality=2093",
    "frame": {
        "frame_id": "gate-3:1795210000000:4711",
        "time": 1795216002.1,
        "width": 640,
        "height": 480,
        "model": "yunet@ebafce4e",
        "detections": [
            {"x": 211, "y": 80, "w": 96, "h": 121, "confidence": 0.93, "label": "face", "landmarks": []}
        ],
    },
    "seen_at": 1795216720.5,
    "seen_by": "main",
    "feedback": None,
    "note": None,
    "feedback_at": None,
    "feedback_by": None,
    "description": "Two people walk towards the gate; one carries a ladder.",
    "description_model": "gpt-4o-mini@1c2d3e4f",
}
NO_EVENT = errors({404: "there is no event 17: it was too old, or became part of an earlier one"})
PAGE_EXAMPLE = {"items": [EXAMPLE], "next": "1795216000.123~17"}
NO_PICTURE = (
    "the event {} has no whole picture: none came, it was too old, or it made room for newer ones "
    "(GATEWAY_HISTORY_PICTURES_MB)"
)
Quality = Annotated[
    int | None,
    Query(
        ge=0,
        le=100_000_000,
        description="changes nothing: a better picture has another address, for whoever keeps the old one",
    ),
]
CLOSED = "private, max-age=86400, immutable"
GROWING = "private, no-cache"


class EventPageParameters(EventParameters):
    """A page of events."""

    limit: int = Field(50, ge=1, le=500, description="how many at most")
    cursor: str = Field(
        "",
        max_length=64,
        json_schema_extra={"pattern": CURSOR_PATTERN},
        description="`next` of the page before; empty: the first page",
    )


def events_router(readers: Readers, gap: float, prefix: str) -> APIRouter:
    """The routes. A presence is closed when nothing was detected for `gap` seconds."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    @router.get(
        "/events",
        response_model=EventsView,
        responses=answer("The page.", PAGE_EXAMPLE),
        operation_id="list_events",
        summary="List events",
    )
    async def list_events(
        asked: Annotated[EventPageParameters, Query()],
        holders: Asker,
    ) -> Response:
        """Presence of something detected, newest start first: stretches of time, each of one camera, closed when
        nothing was detected for some seconds (GATEWAY_HISTORY_GAP_SECONDS).
        """
        wanted, after, limit = asked.filter(), read_cursor(asked.cursor), asked.limit
        found = await readers.ask(
            holders, "events", lambda connection: queries.events(connection, wanted, after, limit + 1)
        )
        page = found[:limit]
        following = Cursor(page[-1].started, page[-1].event_id) if len(found) > limit else None
        views = [event_view(row, now(), gap, prefix) for row in page]
        return json_response(EventsView(views, str(following) if following else None))

    @router.get(
        "/events/{event_id}",
        response_model=EventView,
        responses=answer("The event.", EXAMPLE) | NO_EVENT,
        operation_id="get_event",
        summary="One event",
    )
    async def one_event(event_id: EventId, holders: Asker) -> Response:
        """As in the list. An event that a late result joined to an earlier one is gone; the earlier one stays."""
        row = await readers.ask(holders, "event", lambda connection: queries.event(connection, event_id))
        if row is None:
            return unknown(event_id)
        return json_response(event_view(row, now(), gap, prefix))

    @router.get(
        "/events/{event_id}/thumbnail",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}, "description": "A JPEG, at most 320 pixels wide"},
            304: {"description": "As it was (If-None-Match)"},
            **errors({404: "the event 17 has no picture, or there is no such event"}),
        },
        operation_id="get_event_thumbnail",
        summary="An event's picture",
    )
    async def event_thumbnail(
        event_id: EventId,
        request: Request,
        holders: Asker,
        quality: Quality = None,  # noqa: ARG001
    ) -> Response:
        """The best of the frames that were at hand: the most faces, then the highest confidence."""
        row = await readers.ask(
            holders, "thumbnail", lambda connection: queries.thumbnail(connection, event_id)
        )
        if row is None:
            return problem(
                404, "not_found", f"the event {event_id} has no picture, or there is no such event"
            )
        return _jpeg(request, row, f"{event_id}-{row.quality}", gap)

    @router.get(
        "/events/{event_id}/picture",
        response_class=Response,
        responses={
            200: {
                "content": {"image/jpeg": {}},
                "description": "A JPEG, as the camera sent it or up to 1920 wide",
            },
            304: {"description": "As it was (If-None-Match)"},
            **errors({404: NO_PICTURE.format(17)}),
        },
        operation_id="get_event_picture",
        summary="An event's picture as it was captured",
    )
    async def event_picture(
        event_id: EventId,
        request: Request,
        holders: Asker,
        quality: Quality = None,  # noqa: ARG001
    ) -> Response:
        """The frame of the thumbnail, without boxes; `frame` of the event has these, in pixels of the frame."""
        row = await readers.ask(holders, "picture", lambda connection: queries.picture(connection, event_id))
        if row is None or row.jpeg is None:
            return problem(404, "not_found", NO_PICTURE.format(event_id))
        return _jpeg(request, row, f"{event_id}-{row.quality}-whole", gap)

    return router


def unknown(event_id: int) -> Response:
    """Answer for an event that is not there."""
    return problem(
        404, "not_found", f"there is no event {event_id}: it was too old, or became part of an earlier one"
    )


def _jpeg(request: Request, row: Row[Any], tag: str, gap: float) -> Response:
    headers = {
        "ETag": f'"{tag}"',
        "Cache-Control": CLOSED if row.ended + gap < now() else GROWING,
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(bytes(row.jpeg), headers=headers, media_type="image/jpeg")
