"""An event of the history as the API tells it."""

from typing import Any

import msgspec
from sqlalchemy import Row

from contract.api.history import DetectionView, EventFrameView, EventView

_detections = msgspec.json.Decoder(list[DetectionView])


def event_view(row: Row[Any], now: float, gap: float, prefix: str) -> EventView:
    """An event as the API tells it, at `now`; `prefix` stands before the address of its picture."""
    return EventView(
        event_id=row.event_id,
        camera_id=row.camera_id,
        name=row.name,
        group=row.camera_group,
        start=row.started,
        end=row.ended,
        open=row.ended + gap > now,
        frames=row.frames,
        faces=row.faces,
        confidence=row.certainty / 100,
        model=row.model,
        thumbnail=None if row.thumbnail is None else _address(prefix, row, "thumbnail"),
        picture=_address(prefix, row, "picture") if row.bytes else None,
        frame=_frame(row),
        seen_at=row.seen_at,
        seen_by=row.seen_by,
        feedback=row.feedback,
        note=row.note,
        feedback_at=row.feedback_at,
        feedback_by=row.feedback_by,
        description=row.description,
        description_model=row.description_model,
    )


def _address(prefix: str, row: Row[Any], kind: str) -> str:
    """Where an event's picture is. A better one has another address: nobody need ask whether it changed."""
    return f"{prefix}/api/events/{row.event_id}/{kind}?quality={row.thumbnail}"


def _frame(row: Row[Any]) -> EventFrameView | None:
    if row.frame_id is None:
        return None
    return EventFrameView(
        frame_id=row.frame_id,
        time=row.captured,
        width=row.width,
        height=row.height,
        model=row.frame_model,
        detections=_detections.decode(row.detections),
    )
