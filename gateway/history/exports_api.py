"""GET /api/events/export and /api/detections/export: everything that matches, as a stream."""

import dataclasses
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from contract.api.history import EventView
from gateway.history import detections, queries
from gateway.history.detections import Position
from gateway.history.export import Export, Format, Record, encoded
from gateway.history.filters import Cursor, EventFilter
from gateway.history.parameters import (
    ERRORS,
    CameraIds,
    MinConfidence,
    Since,
    Until,
    check_span,
    distinct,
    event_filter,
    now,
)
from gateway.history.reading import Readers
from gateway.history.views import event_view

CHUNK = 1_000
STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A download; it is broken off where the history stops answering",
        "content": {"text/csv": {}, "application/x-ndjson": {}},
    }
}
FormatParameter = Annotated[
    Format, Query(alias="format", description="csv has a first line of names; ndjson is an object per line")
]


def exports_router(readers: Readers, gap: float, prefix: str) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    async def event_chunks(asked: EventFilter) -> AsyncGenerator[list[Record], None]:
        cursor: Cursor | None = None
        while True:
            page = partial(queries.events, asked=asked, cursor=cursor, limit=CHUNK)
            rows = await readers.ask_chunk("events_export", page)
            yield [dataclasses.asdict(event_view(row, now(), gap, prefix)) for row in rows]
            if len(rows) < CHUNK:
                return
            cursor = Cursor(rows[-1].started, rows[-1].event_id)

    async def detection_chunks(
        cameras: tuple[str, ...], since: float | None, until: float | None, min_confidence: float
    ) -> AsyncGenerator[list[Record], None]:
        for camera_id in cameras or (None,):
            after = Position(since, 0) if since is not None else None
            while True:
                page = partial(detections.chunk, camera_id=camera_id, after=after, until=until, limit=CHUNK)
                rows = await readers.ask_chunk("detections_export", page)
                yield list(detections.records(rows, min_confidence))
                if len(rows) < CHUNK:
                    break
                after = Position(rows[-1].original_timestamp, rows[-1].id)

    @router.get(
        "/events/export",
        response_class=Response,
        responses=STREAMS,
        operation_id="export_events",
        summary="Export events",
    )
    async def export_events(
        asked: Annotated[EventFilter, Depends(event_filter)], form: FormatParameter = "csv"
    ) -> Response:
        """All events that match, newest first, with the fields of GET /api/events."""
        readers.begin_export()
        columns = [field.name for field in dataclasses.fields(EventView)]
        return Export(encoded(form, columns, event_chunks(asked)), "events", form, readers.end_export)

    @router.get(
        "/detections/export",
        response_class=Response,
        responses=STREAMS,
        operation_id="export_detections",
        summary="Export detections",
    )
    async def export_detections(
        camera: CameraIds = [],  # noqa: B006  # FastAPI's way; never changed
        since: Since = None,
        until: Until = None,
        min_confidence: MinConfidence = 0.0,
        form: FormatParameter = "csv",
    ) -> Response:
        """Every detection, oldest first; camera by camera if some are named. Boxes are pixels of the frame."""
        check_span(since, until)
        readers.begin_export()
        chunks = detection_chunks(distinct(camera), since, until, min_confidence)
        return Export(encoded(form, detections.COLUMNS, chunks), "detections", form, readers.end_export)

    return router
