"""GET /api/events/export and /api/detections/export: everything that matches, as a stream."""

import dataclasses
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from contract.api.history import EventView
from gateway.history import detections, queries
from gateway.history.detections import Position
from gateway.history.export import Export, Format, Record, encoded
from gateway.history.filters import Cursor, EventFilter
from gateway.history.parameters import ERRORS, EventParameters, MinConfidence, SpanParameters, now
from gateway.history.readers import Readers
from gateway.history.views import event_view
from gateway.security.access import Asker
from gateway.security.holders import Holders

CHUNK = 1_000
STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A download; it is broken off where the history stops answering",
        "content": {"text/csv": {}, "application/x-ndjson": {}},
    }
}
FormatParameter = Annotated[
    Format, Field(alias="format", description="csv has a first line of names; ndjson is an object per line")
]


class EventExportParameters(EventParameters):
    """An export of events."""

    form: FormatParameter = "csv"


class DetectionExportParameters(SpanParameters):
    """An export of detections."""

    min_confidence: MinConfidence = 0.0
    form: FormatParameter = "csv"


def exports_router(readers: Readers, gap: float, prefix: str) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    async def event_chunks(holders: Holders, asked: EventFilter) -> AsyncGenerator[list[Record], None]:
        cursor: Cursor | None = None
        while True:
            page = partial(queries.events, asked=asked, cursor=cursor, limit=CHUNK)
            rows = await readers.ask_chunk(holders, "events_export", page)
            yield [dataclasses.asdict(event_view(row, now(), gap, prefix)) for row in rows]
            if len(rows) < CHUNK:
                return
            cursor = Cursor(rows[-1].started, rows[-1].event_id)

    async def detection_chunks(
        holders: Holders,
        cameras: tuple[str, ...],
        since: float | None,
        until: float | None,
        min_confidence: float,
    ) -> AsyncGenerator[list[Record], None]:
        for camera_id in cameras or (None,):
            after = Position(since, 0) if since is not None else None
            while True:
                page = partial(detections.chunk, camera_id=camera_id, after=after, until=until, limit=CHUNK)
                rows = await readers.ask_chunk(holders, "detections_export", page)
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
        asked: Annotated[EventExportParameters, Query()],
        holders: Asker,
    ) -> Response:
        """All events that match, newest first, with the fields of GET /api/events."""
        chunks = event_chunks(holders, asked.filter())
        ended = readers.begin_export(holders)
        columns = [field.name for field in dataclasses.fields(EventView)]
        return Export(encoded(asked.form, columns, chunks), "events", asked.form, ended)

    @router.get(
        "/detections/export",
        response_class=Response,
        responses=STREAMS,
        operation_id="export_detections",
        summary="Export detections",
    )
    async def export_detections(
        asked: Annotated[DetectionExportParameters, Query()],
        holders: Asker,
    ) -> Response:
        """Every detection, oldest first; camera by camera if some are named. Boxes are pixels of the frame."""
        asked.check()
        ended = readers.begin_export(holders)
        chunks = detection_chunks(holders, asked.cameras, asked.since, asked.until, asked.min_confidence)
        return Export(encoded(asked.form, detections.COLUMNS, chunks), "detections", asked.form, ended)

    return router
