"""Cameras' states over time, as the history keeps them: what changes is gathered, and written every few seconds.

A change is kept once: also after a restart, and where several gateways write into one PostgreSQL and see the same.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, func, insert, select

from gateway.history.tables import camera_states

MAX_PENDING = 10_000
"""Changes that wait while the database refuses: then the oldest go."""
LOOKED_UP_AT_ONCE = 1_000
_NUMBER = re.compile(r"\d+")


class StateChange(NamedTuple):
    """`since` when the state is what it is, as its producer says; `noticed` by the gateway's clock. Unix seconds."""

    camera_id: str
    state: str
    reason: str | None
    since: float
    noticed: float
    producer_id: str | None = None

    @property
    def gist(self) -> tuple[str, str]:
        """What two changes have in common that say the same: numbers in reasons go on counting."""
        return gist_of(self.state, self.reason)


class StateLog:
    """What changed and is not written yet. Used by the event loop alone."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, str]] = {}
        self._pending: deque[StateChange] = deque(maxlen=MAX_PENDING)

    def note(self, change: StateChange) -> None:
        """Note what a camera is now; nothing happens if it was so before."""
        if self._said.get(change.camera_id) != change.gist:
            self._said[change.camera_id] = change.gist
            self._pending.append(change)

    def knows(self, camera_id: str) -> bool:
        """Whether something was noted of the camera."""
        return camera_id in self._said

    def gone(self, change: StateChange) -> None:
        """Note that there is no such camera any more, if something was noted of it."""
        if self._said.pop(change.camera_id, None) is not None:
            self._pending.append(change)

    def take(self) -> list[StateChange]:
        """What is to be written now; whoever could not gives it `back`."""
        taken = list(self._pending)
        self._pending.clear()
        return taken

    def back(self, changes: Sequence[StateChange]) -> None:
        """Put changes before those that came meanwhile; where there are too many, the oldest go."""
        self._pending = deque([*changes, *self._pending], MAX_PENDING)


def gist_of(state: str, reason: str | None) -> tuple[str, str]:
    """See StateChange.gist."""
    return state, _NUMBER.sub("#", reason or "")


def add(connection: Connection, changes: Sequence[StateChange]) -> int:
    """Keep changes that are none of what is kept already; how many."""
    last = _newest(connection, {change.camera_id for change in changes})
    rows: list[dict[str, Any]] = []
    for change in changes:
        gist, time = last.get(change.camera_id, (None, float("-inf")))
        if gist == change.gist:
            continue
        # A reason may change while the state, and since when, stays.
        since = change.noticed if gist is not None and gist[0] == change.state else change.since
        time = min(max(since, time), change.noticed)
        last[change.camera_id] = change.gist, time
        rows.append(
            {
                "camera_id": change.camera_id,
                "time": time,
                "noticed": change.noticed,
                "state": change.state,
                "reason": change.reason,
                "producer_id": change.producer_id,
            }
        )
    if rows:
        connection.execute(insert(camera_states), rows)
    return len(rows)


def changes(
    connection: Connection, camera_id: str, since: float | None, until: float | None, limit: int
) -> list[Row[Any]]:
    """Changes up to `until`, newest first: those since `since`, and the one that was in force then."""
    found = (
        select(camera_states)
        .where(camera_states.c.camera_id == camera_id)
        .order_by(camera_states.c.id.desc())
    )
    if until is not None:
        found = found.where(camera_states.c.time <= until)
    chosen: list[Row[Any]] = []
    for row in connection.execute(found.limit(limit)):
        # Two gateways may have written the same at the same moment: then the earlier counts.
        if chosen and gist_of(row.state, row.reason) == gist_of(chosen[-1].state, chosen[-1].reason):
            chosen.pop()
        chosen.append(row)
        if since is not None and row.time <= since:
            break
    return chosen


def _newest(connection: Connection, camera_ids: set[str]) -> dict[str, tuple[tuple[str, str] | None, float]]:
    found: dict[str, tuple[tuple[str, str] | None, float]] = {}
    for some in _parts(sorted(camera_ids), LOOKED_UP_AT_ONCE):
        newest = (
            select(func.max(camera_states.c.id).label("id"))
            .where(camera_states.c.camera_id.in_(some))
            .group_by(camera_states.c.camera_id)
            .subquery()
        )
        for row in connection.execute(
            select(camera_states).join(newest, and_(camera_states.c.id == newest.c.id))
        ):
            found[row.camera_id] = gist_of(row.state, row.reason), row.time
    return found


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
