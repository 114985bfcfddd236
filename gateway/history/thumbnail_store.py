"""Thumbnails in the database: one per event, the best picture of it."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gateway.history.store import lock_cameras
from gateway.history.tables import events, thumbnails


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG of a frame, with the moment of its capture as the history knows it, and its `quality`."""

    camera_id: str
    frame_id: str
    when: float
    quality: int
    jpeg: bytes


def store_thumbnail(connection: Connection, thumbnail: Thumbnail, gap: float) -> bool:
    """Give it to the event of its camera at that time. False if there is none, or one with as good a picture."""
    lock_cameras(connection, [thumbnail.camera_id])
    event = connection.execute(
        select(events.c.event_id, events.c.ended, events.c.thumbnail)
        .where(events.c.camera_id == thumbnail.camera_id, events.c.started <= thumbnail.when + gap)
        .order_by(events.c.started.desc())
        .limit(1)
    ).first()
    if event is None or event.ended < thumbnail.when - gap or (event.thumbnail or 0) >= thumbnail.quality:
        return False
    connection.execute(delete(thumbnails).where(thumbnails.c.event_id == event.event_id))
    connection.execute(
        insert(thumbnails).values(event_id=event.event_id, frame_id=thumbnail.frame_id, jpeg=thumbnail.jpeg)
    )
    connection.execute(
        update(events).where(events.c.event_id == event.event_id).values(thumbnail=thumbnail.quality)
    )
    return True
