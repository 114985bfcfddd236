"""What is too old or too much, deleted a little at a time. Free room is used again: neither database gives it back.

Age goes by the time of storing, never by a camera's clock; numbers by the ids, which ascend with it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select, text, update

from gateway.history.tables import (
    activity,
    camera_states,
    event_frames,
    events,
    metadata,
    results,
    thumbnails,
)

DAY = 86_400.0
DELETE_AT_ONCE = 2_000
STATES = 200_000
"""Changes of cameras' states: some 200 for each of a thousand cameras, 30 MB."""
PICTURES_AT_ONCE = 200
"""Each is some pages of the file."""
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """How much is kept. `days` for results and events, `activity_days` for the minutes, `pictures_mb` for the whole
    pictures of events: the oldest make room, and keep their thumbnails and boxes."""

    days: float = 7.0
    rows: int = 5_000_000
    events: int = 500_000
    activity_days: float = 31.0
    pictures_mb: int = 2_000


class Pruner:
    """Each `step` deletes some; 0 and the end of a round come together. Used by one thread."""

    def __init__(self, limits: RetentionLimits) -> None:
        self._limits = limits
        self._walked = 0

    def step(self, connection: Connection, wall: float) -> dict[str, int]:
        """Delete some of what is too old at `wall`; how many by kind. Nothing: all is done for now."""
        deleted = {
            "result": self._results(connection, wall),
            "event": self._events(connection, wall),
            "picture": self._pictures(connection),
            "minute": self._minutes(connection, wall),
            "state": self._states(connection, wall),
        }
        return {kind: count for kind, count in deleted.items() if count}

    def _results(self, connection: Connection, wall: float) -> int:
        # Two queries: PostgreSQL looks both ends up in the index, and would go through all rows for one with both.
        oldest = connection.scalar(select(func.min(results.c.id)))
        newest = connection.scalar(select(func.max(results.c.id)))
        if oldest is None or newest is None:
            return 0
        return connection.execute(
            delete(results).where(
                results.c.id < oldest + DELETE_AT_ONCE,
                or_(
                    results.c.id <= newest - self._limits.rows,
                    results.c.stored < wall - self._limits.days * DAY,
                ),
            )
        ).rowcount

    def _events(self, connection: Connection, wall: float) -> int:
        """From the oldest on. Those that still grow stay where they are and must not hide the others."""
        newest = connection.scalar(select(func.max(events.c.event_id))) or 0
        before = wall - self._limits.days * DAY
        while True:
            found = connection.execute(
                select(events.c.event_id, events.c.started, events.c.updated)
                .where(events.c.event_id > self._walked)
                .order_by(events.c.event_id)
                .limit(DELETE_AT_ONCE)
            ).all()
            gone = [
                event.event_id
                for event in found
                if event.updated < before or event.event_id <= newest - self._limits.events
            ]
            if gone:
                for table in (thumbnails, event_frames, events):
                    connection.execute(delete(table).where(table.c.event_id.in_(gone)))
                return len(gone)
            if not any(event.started < before for event in found):
                self._walked = 0
                return 0
            self._walked = found[-1].event_id

    def _pictures(self, connection: Connection) -> int:
        kept = event_frames.c.bytes > 0
        total = connection.scalar(select(func.sum(event_frames.c.bytes)).where(kept)) or 0
        excess = int(total) - self._limits.pictures_mb * MB
        if excess <= 0:
            return 0
        oldest = connection.execute(
            select(event_frames.c.event_id, event_frames.c.bytes)
            .where(kept)
            .order_by(event_frames.c.event_id)
            .limit(PICTURES_AT_ONCE)
        ).all()
        gone = []
        for picture in oldest:
            if excess <= 0:
                break
            gone.append(picture.event_id)
            excess -= picture.bytes
        connection.execute(
            update(event_frames).where(event_frames.c.event_id.in_(gone)).values(bytes=0, jpeg=None)
        )
        return len(gone)

    def _minutes(self, connection: Connection, wall: float) -> int:
        before = wall - self._limits.activity_days * DAY
        oldest = connection.scalar(select(func.min(activity.c.minute)))
        if oldest is None or oldest >= before:
            return 0
        return connection.execute(delete(activity).where(activity.c.minute == oldest)).rowcount

    def _states(self, connection: Connection, wall: float) -> int:
        """The last of each camera stays: it may be in force still."""
        oldest = connection.execute(
            select(camera_states.c.id, camera_states.c.noticed).order_by(camera_states.c.id).limit(1)
        ).first()
        newest = connection.scalar(select(func.max(camera_states.c.id))) or 0
        before = wall - self._limits.activity_days * DAY
        if oldest is None or (oldest.noticed >= before and oldest.id > newest - STATES):
            return 0
        last = select(func.max(camera_states.c.id)).group_by(camera_states.c.camera_id)
        some = (
            select(camera_states.c.id)
            .where(or_(camera_states.c.noticed < before, camera_states.c.id <= newest - STATES))
            .where(camera_states.c.id.not_in(last))
            .order_by(camera_states.c.id)
            .limit(DELETE_AT_ONCE)
        )
        return connection.execute(delete(camera_states).where(camera_states.c.id.in_(some))).rowcount


def size(connection: Connection) -> int:
    """Bytes of all tables; in SQLite without pages that are free."""
    if connection.dialect.name == "sqlite":
        pages, free, page = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page)
    total = text(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid = ANY(CAST(:names AS regclass[]))"
    )
    return int(connection.scalar(total, {"names": list(metadata.tables)}) or 0)
