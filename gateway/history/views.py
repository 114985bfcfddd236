"""An event of the history as the API tells it."""

from typing import Any

from sqlalchemy import Row

from contract.api.history import EventView


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
        thumbnail=_picture(prefix, row.event_id, row.thumbnail),
    )


def _picture(prefix: str, event_id: int, quality: int | None) -> str | None:
    """Where an event's picture is. A better one has another address: nobody need ask whether it changed."""
    return None if quality is None else f"{prefix}/api/events/{event_id}/thumbnail?quality={quality}"
