"""Pictures of events in the database: one frame per event, the best of it, with what was found in that very frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from contract.result import Result
from gateway.history.pictures import EventPicture
from gateway.history.rows import row_of
from gateway.history.store_locks import lock_cameras
from gateway.history.tables import event_frames, events, thumbnails


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A frame's pictures with its result, the moment of its capture as the history knows it, and its `quality`."""

    result: Result
    when: float
    quality: int
    picture: EventPicture


def store_thumbnails(connection: Connection, given: Sequence[Thumbnail], gap: float) -> int:
    """Give each to the event of its camera at that time; how many were kept.

    Not kept is one without such an event, and one whose event has as good a picture.
    """
    lock_cameras(connection, [thumbnail.result.camera_id for thumbnail in given])
    return sum(_store(connection, thumbnail, gap) for thumbnail in given)


def _store(connection: Connection, thumbnail: Thumbnail, gap: float) -> bool:
    row = row_of(thumbnail.result, 0.0)
    event = connection.execute(
        select(events.c.event_id, events.c.ended, events.c.thumbnail)
        .where(events.c.camera_id == row["camera_id"], events.c.started <= thumbnail.when + gap)
        .order_by(events.c.started.desc())
        .limit(1)
    ).first()
    if event is None or event.ended < thumbnail.when - gap or (event.thumbnail or 0) >= thumbnail.quality:
        return False
    for table in (thumbnails, event_frames):
        connection.execute(delete(table).where(table.c.event_id == event.event_id))
    picture = thumbnail.picture
    connection.execute(
        insert(thumbnails).values(event_id=event.event_id, frame_id=row["frame_id"], jpeg=picture.thumbnail)
    )
    connection.execute(
        insert(event_frames).values(
            event_id=event.event_id,
            frame_id=row["frame_id"],
            captured=thumbnail.when,
            model=row["model"],
            width=row["width"],
            height=row["height"],
            detections=msgspec.json.encode(thumbnail.result.detections).decode(),
            bytes=len(picture.whole),
            jpeg=picture.whole or None,
        )
    )
    connection.execute(
        update(events).where(events.c.event_id == event.event_id).values(thumbnail=thumbnail.quality)
    )
    return True
