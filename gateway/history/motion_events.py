"""Events of motion in which nothing was detected: `faces` is 0. A face within the gap makes a usual event of one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from contract.status import CameraLabels
from gateway.history.presence import EventChanges, Stretch
from gateway.history.store import write_events
from gateway.history.store_locks import lock_cameras
from gateway.history.tables import events
from gateway.motion_watch import MotionStretch


class _Known(NamedTuple):
    """The camera's event that a stretch belongs to."""

    started: float
    faces: int


def keep_motion(
    connection: Connection,
    due: Sequence[MotionStretch],
    longer: Sequence[MotionStretch],
    wall: float,
    gap: float,
    labels: Callable[[str], CameraLabels],
) -> dict[str, tuple[float, bool]]:
    """Begin events of those that are `due`, and prolong those of `longer` ones.

    Returns for each camera of `due` when its event began, and whether it is new: another gateway, or this one before a
    restart, may have begun it. A camera whose event has a face is left out.
    """
    lock_cameras(connection, [each.camera_id for each in (*due, *longer)])
    begun = {}
    for stretch in due:
        known = _known(connection, stretch, gap)
        if known is None:
            new = EventChanges(new=[_event(stretch)])
            write_events(connection, {stretch.camera_id: new}, wall, labels)
            begun[stretch.camera_id] = (stretch.started, True)
        elif known.faces == 0:
            begun[stretch.camera_id] = (known.started, False)
    for stretch in longer:
        span = Stretch(stretch.event or stretch.started, stretch.ended, 0, 0, 0, stretch.model).span
        connection.execute(
            update(events)
            .where(
                events.c.camera_id == stretch.camera_id,
                events.c.started == stretch.event,
                events.c.faces == 0,
                events.c.ended < stretch.ended,
            )
            .values(ended=stretch.ended, span=span, updated=wall)
        )
    return begun


def _known(connection: Connection, stretch: MotionStretch, gap: float) -> _Known | None:
    row = connection.execute(
        select(events.c.started, events.c.ended, events.c.faces)
        .where(events.c.camera_id == stretch.camera_id, events.c.started <= stretch.ended + gap)
        .order_by(events.c.started.desc())
        .limit(1)
    ).first()
    if row is None or row.ended < stretch.started - gap:
        return None
    return _Known(row.started, row.faces)


def _event(stretch: MotionStretch) -> Stretch:
    return Stretch(stretch.started, stretch.ended, frames=0, faces=0, certainty=0, model=stretch.model)
