"""What remote models say of events: which events are to be shown to one, each once, and what came of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from contract.result import Result
from gateway.cascade_rules import Rules
from gateway.history.store_locks import lock_cameras
from gateway.history.tables import event_frames, events

SETTLED_SECONDS = 5.0
"""After an event's beginning its best picture is taken: who comes in is seen from the side."""
OLDEST_SECONDS = 600.0
"""Events that began before are not described any more: nobody waits for that."""
AT_ONCE = 16
MAX_DESCRIPTION = 2_000


@dataclass(frozen=True, slots=True)
class Undescribed:
    """An event's best picture as a JPEG, when it was captured (Unix seconds), and the rule that names it."""

    rule: str
    camera_id: str
    frame_id: str
    captured: float
    picture: bytes


def claim(
    connection: Connection, rules: Rules, allowed: Callable[[str], bool], wall: float, gap: float
) -> list[Undescribed]:
    """Take some events to be described: nobody else gets them, now or later. Those of `allowed` cameras only."""
    columns = (events.c.event_id, events.c.camera_id, events.c.ended, events.c.faces, events.c.certainty)
    fresh = connection.execute(
        select(*columns)
        .join(event_frames, event_frames.c.event_id == events.c.event_id)
        .where(
            events.c.started.between(wall - OLDEST_SECONDS, wall - SETTLED_SECONDS),
            events.c.asked_at.is_(None),
            event_frames.c.bytes > 0,
        )
        .order_by(events.c.started)
    )
    over = wall - gap
    ruled = ((row, _rule(row, rules, over)) for row in fresh if allowed(row.camera_id))
    named = [(row, rule) for row, rule in ruled if rule][:AT_ONCE]
    lock_cameras(connection, [row.camera_id for row, _ in named])
    found = (_claim(connection, row.event_id, rule, wall) for row, rule in named)
    return [each for each in found if each is not None]


def _rule(event: Any, rules: Rules, over: float) -> str:
    if event.faces == 0:
        return "motion" if rules.motion else ""
    if rules.event:
        return "event"
    low = rules.below is not None and event.ended < over and event.certainty < rules.below
    return "low-confidence" if low else ""


def _claim(connection: Connection, event_id: int, rule: str, wall: float) -> Undescribed | None:
    mine = update(events).where(events.c.event_id == event_id, events.c.asked_at.is_(None))
    if not connection.execute(mine.values(asked_at=wall)).rowcount:
        return None
    row = connection.execute(
        select(events.c.camera_id, event_frames.c.frame_id, event_frames.c.captured, event_frames.c.jpeg)
        .join(event_frames, event_frames.c.event_id == events.c.event_id)
        .where(events.c.event_id == event_id)
    ).first()
    if row is None or row.jpeg is None:
        return None
    return Undescribed(rule, row.camera_id, row.frame_id, row.captured, bytes(row.jpeg))


def keep_descriptions(
    connection: Connection, given: Sequence[tuple[float, Result]], gap: float, *, first: bool
) -> None:
    """Give each description to its camera's event at that moment; with `first` only to one that has none."""
    for when, result in given:
        event = connection.execute(
            select(events.c.event_id, events.c.ended, events.c.description)
            .where(events.c.camera_id == result.camera_id, events.c.started <= when + gap)
            .order_by(events.c.started.desc())
            .limit(1)
        ).first()
        if event is None or event.ended < when - gap or (first and event.description is not None):
            continue
        words = str(result.description).replace("\0", "\ufffd")[:MAX_DESCRIPTION]
        connection.execute(
            update(events)
            .where(events.c.event_id == event.event_id)
            .values(description=words, description_model=result.model.replace("\0", "\ufffd")[:200])
        )


def join_descriptions(connection: Connection, kept: int, gone: Collection[int | None]) -> None:
    """Of events that become one, the first description stays; and none is asked for once more."""
    rows = connection.execute(
        select(events.c.event_id, events.c.description, events.c.description_model, events.c.asked_at)
        .where(events.c.event_id.in_([kept, *gone]))
        .order_by(events.c.event_id != kept, events.c.started)
    ).all()
    asked = [row.asked_at for row in rows if row.asked_at is not None]
    words = next((row for row in rows if row.description is not None), None)
    if asked or words is not None:
        connection.execute(
            update(events)
            .where(events.c.event_id == kept)
            .values(
                asked_at=min(asked, default=None),
                description=None if words is None else words.description,
                description_model=None if words is None else words.description_model,
            )
        )
