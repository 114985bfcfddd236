"""The history's word on a frame: its result, else what is kept of the frames around it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, text

from gateway.history.tables import results
from gateway.why.frame_ids import NumberedFrame

_PICTURED = text("SELECT frame_id FROM thumbnails WHERE event_id = :id")


class KeptFrames(NamedTuple):
    """The result of the frame, or the ids and times of capture of its neighbours; when the oldest result of all was
    stored (Unix seconds)."""

    row: Row[Any] | None
    neighbours: Sequence[tuple[str, float]] = ()
    begin: float | None = None


def look(connection: Connection, ids: Sequence[str], numbered: NumberedFrame | None) -> KeptFrames:
    """Find the result of the first of `ids` that has one. Cheap: by unique ids, at most a hundred."""
    found = {
        row.frame_id: row for row in connection.execute(select(results).where(results.c.frame_id.in_(ids)))
    }
    for frame_id in ids:
        if frame_id in found:
            return KeptFrames(found[frame_id])
    begin = connection.scalar(select(results.c.stored).order_by(results.c.id).limit(1))
    columns = select(results.c.frame_id, results.c.original_timestamp)
    around = (
        ()
        if numbered is None
        else connection.execute(columns.where(results.c.frame_id.in_(numbered.neighbours)))
    )
    return KeptFrames(None, [(row.frame_id, row.original_timestamp) for row in around], begin)


def pictured(connection: Connection, event_id: int) -> str | None:
    """The frame that an event's picture is of; None if there is no such event, or it has no picture."""
    found = connection.execute(_PICTURED, {"id": event_id}).first()
    return None if found is None else str(found.frame_id)
