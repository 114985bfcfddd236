"""What people say of events: that they have seen them, and what the detector got wrong. Each deed may be repeated.

An event keeps who saw it first, and when; and of feedback the last word.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update

from contract.api.history import Feedback
from gateway.history.filters import EventFilter
from gateway.history.queries import event, matching
from gateway.history.tables import events

MAX_NOTE = 500
MARKED_AT_ONCE = 2_000


def see(connection: Connection, event_id: int, who: str | None, when: float) -> Row[Any] | None:
    """Note that somebody has seen it; who did before stays. The event, or None if there is none."""
    connection.execute(
        update(events)
        .where(events.c.event_id == event_id, events.c.seen_at.is_(None))
        .values(seen_at=when, seen_by=who)
    )
    return event(connection, event_id)


def forget_seen(connection: Connection, event_id: int) -> Row[Any] | None:
    """Nobody has seen it, as before. The event, or None if there is none."""
    connection.execute(update(events).where(events.c.event_id == event_id).values(seen_at=None, seen_by=None))
    return event(connection, event_id)


def judge(
    connection: Connection, event_id: int, feedback: Feedback, note: str, who: str | None, when: float
) -> Row[Any] | None:
    """Keep the feedback in place of what was said before; who judges has seen it. The event, or None if there is
    none."""
    said = connection.execute(
        select(events.c.feedback, events.c.note).where(events.c.event_id == event_id)
    ).first()
    if said is not None and tuple(said) != (feedback, note or None):
        connection.execute(
            update(events)
            .where(events.c.event_id == event_id)
            .values(feedback=feedback, note=note or None, feedback_at=when, feedback_by=who)
        )
    return see(connection, event_id, who, when)


def withdraw(connection: Connection, event_id: int) -> Row[Any] | None:
    """Take the feedback back. The event, or None if there is none."""
    connection.execute(
        update(events)
        .where(events.c.event_id == event_id)
        .values(feedback=None, note=None, feedback_at=None, feedback_by=None)
    )
    return event(connection, event_id)


def newest_id(connection: Connection) -> int:
    """The id of the event that was stored last; 0 if there is none."""
    return connection.scalar(select(func.max(events.c.event_id))) or 0


def see_some(connection: Connection, asked: EventFilter, newest: int, who: str | None, when: float) -> int:
    """Note of some events up to that id that somebody has seen them; how many. 0: all that match are seen."""
    found, given = matching(asked, newest)
    # Waits for nobody who writes a batch: who holds two locks would wait in a circle with us.
    lock = "FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    statement = (
        "UPDATE events SET seen_at = :now, seen_by = :who WHERE event_id IN "  # noqa: S608  # our own words
        f"(SELECT e.event_id FROM events AS e WHERE {found} AND e.seen_at IS NULL LIMIT {MARKED_AT_ONCE} {lock})"
    )
    return connection.execute(text(statement), given | {"now": when, "who": who}).rowcount


def join_reviews(connection: Connection, kept: int, gone: Sequence[int | None]) -> None:
    """Hand on what was said of events that become part of `kept`. It is seen if all were."""
    found = connection.execute(
        select(events).where(events.c.event_id.in_([kept, *gone])).order_by(events.c.event_id)
    ).all()
    if not any(row.seen_at or row.feedback for row in found):
        return
    last = max((row for row in found if row.feedback), key=lambda row: row.feedback_at, default=None)
    unseen = next((row for row in found if row.seen_at is None), None)
    seen = unseen or max(found, key=lambda row: row.seen_at)
    connection.execute(
        update(events)
        .where(events.c.event_id == kept)
        .values(
            seen_at=seen.seen_at,
            seen_by=seen.seen_by,
            feedback=last and last.feedback,
            note=last and last.note,
            feedback_at=last and last.feedback_at,
            feedback_by=last and last.feedback_by,
        )
    )
