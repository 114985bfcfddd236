"""Millions of made-up events, quickly into either database, and the questions that are asked of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from gateway.history.database import Database
from gateway.history.filters import Cursor, EventFilter
from gateway.history.presence import CROWDED, SPAN_SECONDS
from gateway.history.tables import events, metadata

CAMERAS = 1_000
GROUPS = 20
BEGIN = 1_795_000_000.0
SECONDS = 7 * 86_400.0
CHUNK = 100_000
RARE_CAMERA, RARE_GROUP, RARE_FACES = "rare", "vault", 40

Row = tuple[Any, ...]
COLUMNS = [column.name for column in events.columns]


def rows(count: int, seed: int = 1) -> Iterator[list[Row]]:
    """Chunks of rows by time. A camera's events do not overlap; one in 2,000 lasts as long as it can.

    Faces fall off geometrically; every millionth event has 40. A camera of its own and a group of its own have one
    event in 200,000.
    """
    chance = np.random.default_rng(seed)
    apart = SECONDS / count  # of any two events; those of one camera are CAMERAS times as far apart
    for begin in range(0, count, CHUNK):
        number = np.arange(begin, min(count, begin + CHUNK))
        started = BEGIN + number * apart
        most = 0.9 * CAMERAS * apart
        length = np.minimum(chance.exponential(min(10.0, most / 4), len(number)), most)
        length[number % 2_000 == 0] = most
        faces = np.minimum(chance.geometric(0.6, len(number)), 12)
        faces[number % 1_000_000 == 500_000] = RARE_FACES
        certainty = chance.integers(50, 100, len(number))
        certainty[number % 1_000_000 == 700_000] = 100
        span = np.searchsorted(SPAN_SECONDS, length)
        chunk = []
        for n, s, lasts, f, c, k in zip(
            number.tolist(),
            started.tolist(),
            length.tolist(),
            faces.tolist(),
            certainty.tolist(),
            span.tolist(),
            strict=True,
        ):
            camera = n % CAMERAS
            camera_id, group = f"camera-{camera}", f"group-{camera % GROUPS}"
            if n % 200_000 == 77:
                camera_id, group = RARE_CAMERA, RARE_GROUP
            chunk.append(
                (
                    n + 1, camera_id, f"Camera {camera}", group, s, s + lasts, 3, f, c, "yunet@ebafce4e",
                    min(f, CROWDED), k, None, s + lasts,
                )
            )  # fmt: skip
        yield chunk


def fill(database: Database, count: int, say: Callable[[str], None]) -> None:
    """Into an empty database; the indexes are made afterwards."""
    with database.writing() as connection:
        for index in events.indexes:
            index.drop(connection)
    insert = f"INSERT INTO events VALUES ({','.join('?' * len(COLUMNS))})"  # noqa: S608
    for number, chunk in enumerate(rows(count)):
        with database.writing() as connection:
            raw: Any = connection.connection.dbapi_connection
            if database.postgresql:
                with raw.cursor().copy(f"COPY events ({','.join(COLUMNS)}) FROM STDIN") as copy:
                    for row in chunk:
                        copy.write_row(row)
            else:
                raw.executemany(insert, chunk)
        if number % 10 == 9:
            say(f"{(number + 1) * CHUNK:,} events")
    with database.writing() as connection:
        if database.postgresql:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for index in sorted(metadata.tables["events"].indexes, key=lambda index: str(index.name)):
            say(f"index {index.name}")
            index.create(connection)
    settle(database)


def settle(database: Database) -> None:
    """What autovacuum does within minutes of a real life."""
    if not database.postgresql:
        return
    with database.writing() as connection:
        raw: Any = connection.connection.dbapi_connection
        connection.exec_driver_sql("COMMIT")
        raw.autocommit = True
        raw.execute("SET statement_timeout = 0")
        raw.execute("VACUUM ANALYZE events")
        raw.autocommit = False
        connection.exec_driver_sql("SELECT 1")


@dataclass(frozen=True)
class Question:
    """A kind of page: `make` gives one of it by chance."""

    name: str
    make: Callable[[random.Random], tuple[EventFilter, Cursor | None]]


def _when(chance: random.Random) -> float:
    return BEGIN + chance.random() * SECONDS


def _camera(chance: random.Random) -> str:
    return f"camera-{chance.randrange(CAMERAS)}"


def _cursor(chance: random.Random) -> Cursor:
    return Cursor(_when(chance), 1)


def _hour(chance: random.Random, **fields: Any) -> EventFilter:
    since = _when(chance)
    return EventFilter(since=since, until=since + 3_600, **fields)


QUESTIONS = [
    Question("newest", lambda c: (EventFilter(), None)),
    Question("any page (a deep cursor)", lambda c: (EventFilter(), _cursor(c))),
    Question("one camera", lambda c: (EventFilter((_camera(c),)), _cursor(c))),
    Question("a rare camera", lambda c: (EventFilter((RARE_CAMERA,)), None)),
    Question("no such camera", lambda c: (EventFilter(("nobody",)), None)),
    Question("a hundred cameras", lambda c: (EventFilter(tuple(f"camera-{n}" for n in range(100))), _cursor(c))),
    Question("one camera, 12 faces or more", lambda c: (EventFilter((_camera(c),), min_faces=12), None)),
    Question("one group", lambda c: (EventFilter(group=f"group-{c.randrange(GROUPS)}"), _cursor(c))),
    Question("a rare group", lambda c: (EventFilter(group=RARE_GROUP), None)),
    Question("one group, 10 faces or more", lambda c: (EventFilter(group="group-3", min_faces=10), _cursor(c))),
    Question("3 faces or more", lambda c: (EventFilter(min_faces=3), _cursor(c))),
    Question("40 faces or more (1 in a million)", lambda c: (EventFilter(min_faces=40), None)),
    Question("41 faces or more (none)", lambda c: (EventFilter(min_faces=41), None)),
    Question("confidence 0.8 or more", lambda c: (EventFilter(min_confidence=0.8), _cursor(c))),
    Question("confidence 1 (1 in a million)", lambda c: (EventFilter(min_confidence=1.0), None)),
    Question("3 faces, confidence 0.9", lambda c: (EventFilter(min_faces=3, min_confidence=0.9), _cursor(c))),
    Question("an hour, its last page", lambda c: (f := _hour(c), Cursor(f.since or 0.0, 1))),
    Question("an hour of one camera", lambda c: (_hour(c, cameras=(_camera(c),)), None)),
    Question("an hour of one group, 4 faces", lambda c: (_hour(c, group="group-7", min_faces=4), None)),
    Question("a minute long past", lambda c: (EventFilter(since=BEGIN + 90, until=BEGIN + 150), None)),
    Question("long before all", lambda c: (EventFilter(since=1.0, until=BEGIN - 1), None)),
]  # fmt: skip


def ask(connection: Connection, question: Question, chance: random.Random) -> int:
    """One page of 50, as the API asks for it; how many events came."""
    from gateway.history import queries

    asked, cursor = question.make(chance)
    return len(queries.events(connection, asked, cursor, 51))
