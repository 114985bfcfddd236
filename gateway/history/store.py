"""Writes a batch of results and all that follows from them, in one transaction of the caller's.

Whatever is delivered twice is found by its frame_id and counts for nothing the second time. Locks are taken in one
order, so that gateways which share a PostgreSQL do not wait for each other in a circle: frames, cameras, minutes.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, text, update

from contract.description import is_described
from contract.result import Result
from contract.status import CameraLabels
from gateway.history.activity import Minute, minutes
from gateway.history.bulk import Row, insert_rows
from gateway.history.descriptions import join_descriptions, keep_descriptions
from gateway.history.presence import EventChanges, Sighting, Stretch, bounds, merge, stretches
from gateway.history.reviews import join_reviews
from gateway.history.rows import moment, row_of
from gateway.history.store_locks import lock_cameras
from gateway.history.tables import activity, event_frames, events, results, thumbnails

Labels = Callable[[str], CameraLabels]
"""What people call a camera."""

_SPANS = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS camera_id, json_extract(value, '$[1]') AS low, "
    "json_extract(value, '$[2]') AS high FROM json_each(:spans))",
    "postgresql": "(SELECT value->>0 AS camera_id, (value->>1)::float8 AS low, (value->>2)::float8 AS high "
    "FROM jsonb_array_elements(CAST(:spans AS jsonb)))",
}
# Of a camera no two events overlap: the last one that began before the span is the only one that may reach into it.
_OVERLAPPING = """
SELECT e.camera_id, e.event_id, e.started, e.ended, e.frames, e.faces, e.certainty, e.model, e.thumbnail
FROM {spans} AS s CROSS JOIN events AS e
WHERE e.camera_id = s.camera_id AND e.started <= s.high AND e.ended >= s.low AND e.started >= coalesce(
    (SELECT max(b.started) FROM events AS b WHERE b.camera_id = s.camera_id AND b.started < s.low), s.low)
"""
_ADD = """
ON CONFLICT (minute, camera_id) DO UPDATE SET
    frames = activity.frames + excluded.frames,
    with_detections = activity.with_detections + excluded.with_detections,
    faces = CASE WHEN excluded.faces > activity.faces THEN excluded.faces ELSE activity.faces END,
    expired = activity.expired + excluded.expired,
    latency = activity.latency + excluded.latency
"""


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    """This frame would be the picture of the event that began then. `first`: the event has none."""

    camera_id: str
    started: float
    frame_id: str
    first: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """A frame that is not kept because the frame_id is that of another one, of the camera `of`."""

    camera_id: str
    frame_id: str
    of: str


@dataclass(frozen=True, slots=True)
class Stored:
    """How many results were new, which pictures are asked for, and which frames' ids were others'."""

    new: int
    requests: Sequence[ThumbnailRequest]
    repeats: Sequence[Repeat] = ()


def store(
    connection: Connection,
    batch: Iterable[Result],
    wall: float,
    labels: Labels,
    gap: float,
    unlisted: Collection[str] = (),
) -> Stored:
    """Write `batch`; of `unlisted` cameras the results alone, without events and minutes of their own.

    Raises Unstorable if a result cannot be, IntegrityError if another gateway just wrote one.
    """
    given: dict[str, tuple[Row, Result]] = {}
    rows = [(row_of(result, wall), result) for result in batch]
    for row, result in rows:
        given.setdefault(row["frame_id"], (row, result))
    columns = results.c.frame_id, results.c.camera_id, results.c.original_timestamp
    found = connection.execute(select(*columns).where(results.c.frame_id.in_(list(given))))
    known = {frame_id: (camera_id, captured) for frame_id, camera_id, captured in found}
    fresh = [pair for frame_id, pair in sorted(given.items()) if frame_id not in known]
    repeats = _repeats([row for row, _ in rows], known)
    if not fresh:
        return Stored(0, [], repeats)
    insert_rows(connection, results, [row for row, _ in fresh])
    timed = [(moment(result, wall), row, result) for row, result in fresh]
    sent = [each for each in timed if not is_described(each[2].frame_id)]
    listed = [each for each in sent if each[2].camera_id not in unlisted]
    requests = _present(connection, listed, wall, labels, gap)
    if sent:
        _add_minutes(connection, minutes(((when, result) for when, _, result in sent), unlisted))
    _describe(connection, timed, gap)
    return Stored(len(fresh), requests, repeats)


def _repeats(rows: Sequence[Row], known: Mapping[str, tuple[str, float]]) -> list[Repeat]:
    """A frame delivered twice has the same camera and time of capture; what has others is another frame."""
    first = dict(known)
    repeats = []
    for row in rows:
        frame = row["camera_id"], row["original_timestamp"]
        kept = first.setdefault(row["frame_id"], frame)
        if frame != kept:
            repeats.append(Repeat(row["camera_id"], row["frame_id"], kept[0]))
    return repeats


def _describe(connection: Connection, timed: Sequence[tuple[float, Row, Result]], gap: float) -> None:
    """Events have the description that was asked for, or else the first one that came."""
    worded = [(when, result) for when, _, result in timed if isinstance(result.description, str)]
    if worded:
        lock_cameras(connection, [result.camera_id for _, result in worded])
        for first in (True, False):
            some = [each for each in worded if is_described(each[1].frame_id) is not first]
            keep_descriptions(connection, some, gap, first=first)


# --- presence ----------------------------------------------------------------------------------------------------


def _present(
    connection: Connection,
    timed: Sequence[tuple[float, Row, Result]],
    wall: float,
    labels: Labels,
    gap: float,
) -> list[ThumbnailRequest]:
    seen = [
        Sighting(
            row["camera_id"],
            when,
            row["faces"],
            max(d.confidence for d in result.detections),
            row["model"],
            result.frame_id,
        )
        for when, row, result in timed
        if result.detections and result.status == "ok"
    ]
    if not seen:
        return []
    additions = stretches(seen, gap)
    lock_cameras(connection, additions)
    stored = _overlapping(connection, bounds(additions, gap))
    changes = {
        camera_id: merge(stored.get(camera_id, []), added, gap) for camera_id, added in additions.items()
    }
    write_events(connection, changes, wall, labels)
    return [
        ThumbnailRequest(camera_id, stretch.started, better, stretch.thumbnail is None)
        for camera_id, each in changes.items()
        for stretch in (*each.new, *each.changed)
        if (better := stretch.better) is not None
    ]


def _overlapping(
    connection: Connection, spans: Sequence[tuple[str, float, float]]
) -> Mapping[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    statement = text(_OVERLAPPING.format(spans=_SPANS[connection.dialect.name]))
    for row in connection.execute(statement, {"spans": json.dumps(spans)}):
        found.setdefault(row.camera_id, []).append(
            Stretch(
                row.started,
                row.ended,
                row.frames,
                row.faces,
                row.certainty,
                row.model,
                row.event_id,
                row.thumbnail,
            )
        )
    return found


def write_events(
    connection: Connection, changes: Mapping[str, EventChanges], wall: float, labels: Labels
) -> None:
    """Write what becomes of the events of each camera, which is locked."""
    new = [
        {"camera_id": camera_id, **_labels(labels(camera_id)), **_columns(stretch, wall)}
        for camera_id, each in changes.items()
        for stretch in each.new
    ]
    if new:
        insert_rows(connection, events, new)
    for each in changes.values():
        for kept, others in each.swallowed.items():
            _swallow(connection, kept, others)
    changed = [
        {"id": stretch.event_id, **_columns(stretch, wall)}
        for each in changes.values()
        for stretch in each.changed
    ]
    if changed:
        connection.execute(update(events).where(events.c.event_id == bindparam("id")), changed)


def _swallow(connection: Connection, kept: int, others: Sequence[Stretch]) -> None:
    """The best picture stays, under the id that stays, and what people said."""
    shown = connection.scalar(select(events.c.thumbnail).where(events.c.event_id == kept)) or 0
    best = max(others, key=lambda stretch: stretch.thumbnail or 0)
    gone = [stretch.event_id for stretch in others]
    for table in (thumbnails, event_frames):
        if (best.thumbnail or 0) > shown:
            connection.execute(delete(table).where(table.c.event_id == kept))
            connection.execute(update(table).where(table.c.event_id == best.event_id).values(event_id=kept))
        connection.execute(delete(table).where(table.c.event_id.in_(gone)))
    join_reviews(connection, kept, gone)
    join_descriptions(connection, kept, gone)
    connection.execute(delete(events).where(events.c.event_id.in_(gone)))


def _columns(stretch: Stretch, wall: float) -> Row:
    return {
        "started": stretch.started,
        "ended": stretch.ended,
        "frames": stretch.frames,
        "faces": stretch.faces,
        "certainty": stretch.certainty,
        "model": stretch.model,
        "crowd": stretch.crowd,
        "span": stretch.span,
        "thumbnail": stretch.thumbnail,
        "updated": wall,
    }


def _labels(labels: CameraLabels) -> Row:
    return {"name": labels.name, "camera_group": labels.group}


# --- activity ----------------------------------------------------------------------------------------------------


def _add_minutes(connection: Connection, found: Mapping[tuple[int, str], Minute]) -> None:
    rows = [
        {
            "minute": begin,
            "camera_id": camera_id.replace("\0", "\ufffd"),
            "frames": minute.frames,
            "with_detections": minute.with_detections,
            "faces": minute.faces,
            "expired": minute.expired,
            "latency": minute.latency,
        }
        for (begin, camera_id), minute in found.items()
    ]
    insert_rows(connection, activity, rows, _ADD)
