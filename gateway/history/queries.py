"""Pages of events, fast at ten million of them whatever is asked for.

Every question is answered from several short pieces of one index, each read backwards from the cursor and only as far
as the page is long, and merged: a piece per camera, or per number of faces, or per hundredth of confidence. So a rare
value is found as fast as a common one. The SQL is written out: building a hundred pieces by SQLAlchemy's expressions
takes longer than reading them.
"""

# ruff: noqa: S608  # what is asked for is bound; only our own words and numbers are put together

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from gateway.history.filters import Cursor, EventFilter
from gateway.history.presence import CROWDED, SPAN_SECONDS, SPANS

COLUMNS = (
    "e.event_id, e.camera_id, e.name, e.camera_group, e.started, e.ended, e.frames, e.faces, e.certainty, e.model, "
    "e.thumbnail, e.seen_at, e.seen_by, e.feedback, e.note, e.feedback_at, e.feedback_by, "
    "e.description, e.description_model, "
    "f.frame_id, f.captured, f.model AS frame_model, f.width, f.height, f.detections, f.bytes"
)
FRAMES = "LEFT JOIN event_frames AS f ON f.event_id = e.event_id"
Parameters = dict[str, Any]


def events(connection: Connection, asked: EventFilter, cursor: Cursor | None, limit: int) -> list[Row[Any]]:
    """Up to `limit` events after `cursor`, newest start first."""
    found: list[Row[Any]] = []
    if cursor is None or asked.since is None or cursor.started >= asked.since:
        found = _started_within(connection, asked, cursor, limit)
    if asked.since is not None and len(found) < limit:
        found += _reaching_in(connection, asked, asked.since, cursor, limit - len(found))
    return found


def event(connection: Connection, event_id: int) -> Row[Any] | None:
    """One event."""
    return connection.execute(
        text(f"SELECT {COLUMNS} FROM events AS e {FRAMES} WHERE e.event_id = :id"),
        {"id": event_id},
    ).first()


def thumbnail(connection: Connection, event_id: int) -> Row[Any] | None:
    """An event's picture: `jpeg`, its `quality`, and when the event `ended`."""
    return connection.execute(
        text(
            "SELECT t.jpeg, e.thumbnail AS quality, e.ended FROM thumbnails AS t "
            "JOIN events AS e ON e.event_id = t.event_id WHERE t.event_id = :id"
        ),
        {"id": event_id},
    ).first()


def picture(connection: Connection, event_id: int) -> Row[Any] | None:
    """An event's whole picture: `jpeg`, which is None where it had to make room, `quality` and `ended` as above."""
    return connection.execute(
        text(
            "SELECT f.jpeg, e.thumbnail AS quality, e.ended FROM event_frames AS f "
            "JOIN events AS e ON e.event_id = f.event_id WHERE f.event_id = :id"
        ),
        {"id": event_id},
    ).first()


def count(connection: Connection, asked: EventFilter, newest: int) -> int:
    """How many events match, of those up to that id."""
    where, given = matching(asked, newest)
    return int(connection.scalar(text(f"SELECT count(*) FROM events AS e WHERE {where}"), given) or 0)


def matching(asked: EventFilter, newest: int) -> tuple[str, Parameters]:
    """The condition on events `e` up to that id, with its parameters."""
    given: Parameters = {"newest": newest}
    where = ["e.event_id <= :newest", *(f"e.{each}" for each in _conditions(asked, given))]
    if asked.cameras:
        where.append(f"e.camera_id IN ({', '.join(_bind(given, each) for each in asked.cameras)})")
    if asked.since is not None:
        where.append(f"e.ended >= {_bind(given, asked.since)}")
    if asked.until is not None:
        where.append(f"e.started <= {_bind(given, asked.until)}")
    return " AND ".join(where), given


def _started_within(
    connection: Connection, asked: EventFilter, cursor: Cursor | None, limit: int
) -> list[Row[Any]]:
    """Select the events that began in the span."""
    given: Parameters = {"limit": limit}
    within: list[str] = []
    if asked.since is not None:
        within.append("started >= :since")
        given["since"] = asked.since
    if cursor is not None:
        within.append("(started, event_id) < (:started, :event_id)")
        given |= {"started": cursor.started, "event_id": cursor.event_id}
    if asked.until is not None and (cursor is None or asked.until < cursor.started):
        within.append("started <= :until")
        given["until"] = asked.until
    pieces = [_piece([*piece, *within, *_conditions(asked, given)]) for piece in _pieces(asked, given)]
    newest = f"SELECT started, event_id FROM ({_union(pieces)}) AS u ORDER BY started DESC, event_id DESC LIMIT :limit"
    return _whole(connection, newest, [], given)


def _reaching_in(
    connection: Connection, asked: EventFilter, since: float, cursor: Cursor | None, limit: int
) -> list[Row[Any]]:
    """Select the events that began before the span and had not ended: at most one per camera.

    Of named cameras it is the last before. Of all: events by classes of length, each class looked at only as far back
    as its events are long, where a camera can have few.
    """
    given: Parameters = {"limit": limit, "since": since}
    if asked.cameras:
        pieces = [
            f"SELECT started, event_id FROM events WHERE camera_id = {_bind(given, camera_id)} "
            "AND started < :since ORDER BY started DESC, event_id DESC LIMIT 1"
            for camera_id in asked.cameras
        ]
    else:
        pieces = [
            f"SELECT started, event_id FROM events WHERE span = {span} AND started < :since"
            + (f" AND started >= :since - {SPAN_SECONDS[span]}" if span < len(SPAN_SECONDS) else "")
            + " AND ended >= :since"
            for span in range(SPANS)
        ]
    conditions = ["e.ended >= :since", *(f"e.{each}" for each in _conditions(asked, given))]
    if cursor is not None:
        conditions.append("(e.started, e.event_id) < (:started, :event_id)")
        given |= {"started": cursor.started, "event_id": cursor.event_id}
    if asked.until is not None:
        conditions.append("e.started <= :until")
        given["until"] = asked.until
    return _whole(connection, _union(pieces), conditions, given)


def _pieces(asked: EventFilter, given: Parameters) -> Iterable[list[str]]:
    """The conditions that make a piece of one index."""
    if asked.cameras:
        return [[f"camera_id = {_bind(given, camera_id)}"] for camera_id in asked.cameras]
    crowds = range(min(max(1, asked.min_faces), CROWDED), CROWDED + 1)
    if asked.group is not None:
        return [[f"camera_group = {_bind(given, asked.group, 'group')}", f"crowd = {n}"] for n in crowds]
    if asked.min_faces > 1:
        return [[f"crowd = {n}"] for n in crowds]
    if asked.certainty > 0:
        return [[f"certainty = {n}"] for n in range(asked.certainty, 101)]
    return [[]]


def _conditions(asked: EventFilter, given: Parameters) -> list[str]:
    """All of the filter but cameras and times: what a piece does not settle, its index has beside."""
    conditions = []
    if asked.group is not None:
        conditions.append(f"camera_group = {_bind(given, asked.group, 'group')}")
    if asked.min_faces > 1:
        conditions.append(f"crowd >= {min(asked.min_faces, CROWDED)}")
    if asked.min_faces > CROWDED:
        conditions.append(f"faces >= {_bind(given, asked.min_faces, 'faces')}")
    if asked.certainty > 0:
        conditions.append(f"certainty >= {asked.certainty}")
    # Word for word as in the partial indexes.
    if asked.seen is not None:
        conditions.append("seen_at IS NOT NULL" if asked.seen else "seen_at IS NULL")
    if asked.feedback is not None:
        conditions.append("feedback IS NOT NULL")
        if asked.feedback != "any":
            conditions.append(f"feedback = {_bind(given, asked.feedback, 'feedback')}")
    return conditions


def _piece(conditions: Sequence[str]) -> str:
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"SELECT started, event_id FROM events {where}ORDER BY started DESC, event_id DESC LIMIT :limit"


def _union(pieces: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT * FROM ({piece}) AS p{n}" for n, piece in enumerate(pieces))


def _whole(
    connection: Connection, found: str, conditions: Sequence[str], given: Parameters
) -> list[Row[Any]]:
    """The whole rows of what was found by index."""
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    statement = (
        f"SELECT {COLUMNS} FROM ({found}) AS p JOIN events AS e ON e.event_id = p.event_id {FRAMES} "
        f"{where}ORDER BY e.started DESC, e.event_id DESC LIMIT :limit"
    )
    return list(connection.execute(text(statement), given))


def _bind(given: Parameters, value: object, name: str = "") -> str:
    name = name or f"v{len(given)}"
    given[name] = value
    return f":{name}"
