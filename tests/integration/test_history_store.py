"""The history as it is written, on SQLite and on PostgreSQL."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contract.result import Result
from contract.status import CameraLabels
from gateway.cascade_rules import Rules
from gateway.errors import HistoryOccupied, HistoryTooSlow, HistoryUnavailable, WrongEncoding, WrongVersion
from gateway.history import database as database_module
from gateway.history import faults, queries, retention, reviews, schema
from gateway.history.database import Database
from gateway.history.descriptions import AT_ONCE, Undescribed, claim
from gateway.history.filters import EventFilter
from gateway.history.motion_events import keep_motion
from gateway.history.retention import DAY, RetentionLimits
from gateway.history.schema import HEAD, MIGRATIONS
from gateway.history.store import Repeat, ThumbnailRequest
from gateway.history.tables import metadata
from gateway.history.views import event_view
from gateway.history.writer import HistoryWriter
from gateway.motion_watch import MotionStretch
from tests.helpers.postgres import Postgres
from tests.helpers.processes import ROOT
from tests.helpers.results import result, thumbnail

pytestmark = pytest.mark.integration
NOW = 1_795_000_000.0


ALL = Rules(event=True, below=None)


def labels(camera_id: str) -> CameraLabels:
    return CameraLabels(name=f"the {camera_id}", group="gates")


class History:
    """A writer and a look at what it wrote."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:
        self.database = Database(url, folder / "h.sqlite3")
        self.writer = HistoryWriter(self.database, labels=labels, **settings)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.database.reading(5) as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def events(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT camera_id, started - 1795000000, ended - 1795000000, frames, faces FROM events "
            "ORDER BY camera_id, started"
        )


@pytest.fixture
def history(database_url: str, tmp_path: Path) -> Iterator[History]:
    made = History(database_url, tmp_path)
    made.writer.open()
    yield made
    made.writer.close()


def test_every_frame_once(history: History, database_url: str, tmp_path: Path) -> None:
    one, two, three = (result(NOW + n) for n in range(3))
    assert history.writer.store([one, two, one], NOW).new == 2
    assert history.writer.store([two, three], NOW).new == 1
    history.writer.close()
    again = History(database_url, tmp_path)
    assert again.writer.store([three], NOW).new == 0
    assert again.writer.count() == 3
    assert again.events() == [("a", 0.0, 2.0, 3, 1)]
    assert again.rows("SELECT sum(frames) FROM activity WHERE camera_id = 'a'") == [(3,)]
    again.writer.close()


def test_a_row_says_all_of_a_result(history: History) -> None:
    given = result(NOW, 2, status="expired", hop="worker", reason="stale", frame_id="it's; -- \u2603")
    history.writer.store([given], NOW + 1)
    ((frame_id, status, hop, reason, faces, detections, stored),) = history.rows(
        "SELECT frame_id, status, hop, reason, faces, detections, stored FROM results"
    )
    assert (frame_id, status, hop, reason, faces) == (given.frame_id, "expired", "worker", "stale", 2)
    assert json.loads(detections)[1] == {"x": 1, "y": 2, "w": 3, "h": 4, "confidence": 0.9, "label": "face"}
    assert stored == NOW + 1


def test_presence_is_the_same_in_any_order(history: History) -> None:
    batches = [[0.0, 1.0], [20.0], [12.0, 13.0], [8.0], [4.0]]  # the last ones join all before 20
    for batch in batches:
        history.writer.store([result(NOW + when) for when in batch], NOW)
    assert history.events() == [("a", 0.0, 13.0, 6, 1), ("a", 20.0, 20.0, 1, 1)]
    ids = history.rows("SELECT event_id FROM events ORDER BY started")
    assert ids == [(1,), (2,)]  # of those that became one, the first


def test_an_event_has_its_best(history: History) -> None:
    history.writer.store([result(NOW, 1, confidence=0.5), result(NOW + 1, 3, confidence=0.6)], NOW)
    history.writer.store([result(NOW + 2, 2, confidence=0.987, model="n@2")], NOW)
    assert history.rows("SELECT faces, crowd, certainty, model, name, camera_group, span FROM events") == [
        (3, 3, 98, "n@2", "the a", "gates", 0)
    ]


def test_what_shows_nothing_and_what_expired_is_no_presence(history: History) -> None:
    history.writer.store([result(NOW, 0), result(NOW, 1, status="expired", reason="stale")], NOW)
    assert history.events() == []
    assert history.rows(
        "SELECT frames, with_detections, faces, expired FROM activity WHERE camera_id = 'a'"
    ) == [(1, 0, 0, 1)]


def test_activity_by_the_minute(history: History) -> None:
    begin = NOW - NOW % 60
    history.writer.store(
        [result(begin, 1), result(begin + 59.9, 3), result(begin + 60, 0), result(begin, 2, camera_id="b")],
        NOW,
    )
    history.writer.store([result(begin + 1, 2)], NOW)
    found = history.rows(
        "SELECT minute, camera_id, frames, with_detections, faces, expired, round(CAST(latency AS numeric), 2) "
        "FROM activity ORDER BY minute, camera_id"
    )
    assert [(minute - begin, *rest[:5], float(rest[5])) for minute, *rest in found] == [
        (0, "", 4, 4, 3, 0, 0.28),
        (0, "a", 3, 3, 3, 0, 0.21),
        (0, "b", 1, 1, 2, 0, 0.07),
        (60, "", 1, 0, 0, 0, 0.07),
        (60, "a", 1, 0, 0, 0, 0.07),
    ]


def test_absurd_clocks_are_entered_at_the_time_of_storing(history: History) -> None:
    for when in (NOW + 3600, -5.0, 0.0, 1e300, 5e-324):
        history.writer.store([result(when)], NOW)
    assert history.events() == [("a", 0.0, 0.0, 5, 1)]
    assert history.rows("SELECT count(*) FROM activity") == [(2,)]
    history.writer.store([result(NOW - 300 * DAY)], NOW)  # footage of last year is none
    assert len(history.events()) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 1 << 70},
        {"frame_id": "x" * 5_000},
        {"frame_id": ""},
        {"camera_id": ""},
        {"queue_seconds": float("inf")},
        {"original_timestamp": float("nan")},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_cannot_be_stored_holds_nobody_up(history: History, fields: dict[str, Any]) -> None:
    assert history.writer.store([result(NOW), result(NOW, **fields), result(NOW)], NOW).new == 2
    assert (history.writer.count(), history.writer.unstorable) == (2, 1)


def test_another_frame_of_a_known_id_is_no_redelivery(history: History) -> None:
    """Its row is not kept, as ever; but that is told."""
    first, other = result(NOW, frame_id="7"), result(NOW, frame_id="7", camera_id="b")
    later = result(NOW + 1, frame_id="7")
    stored = history.writer.store([first, first, other], NOW)
    assert (stored.new, stored.repeats) == (1, [Repeat("b", "7", "a")])
    assert history.writer.store([first], NOW).repeats == []
    stored = history.writer.store([later, result(NOW), result(NOW, width=-1)], NOW)  # and one by one
    assert (stored.new, stored.repeats) == (1, [Repeat("a", "7", "a")])
    assert history.rows("SELECT camera_id FROM results WHERE frame_id = '7'") == [("a",)]


def test_texts_that_databases_do_not_like(history: History) -> None:
    assert (
        history.writer.store([result(NOW, camera_id="a\0b", frame_id="f\0", model="m" * 9_999)], NOW).new == 1
    )
    assert history.rows("SELECT camera_id, frame_id FROM results") == [("a\ufffdb", "f\ufffd")]
    assert history.events() == [("a\ufffdb", 0.0, 0.0, 1, 1)]


def test_the_frame_of_the_first_result_is_asked_for_and_then_better_ones(history: History) -> None:
    batch = [
        result(NOW, frame_id="f1"),
        result(NOW + 1, confidence=0.5, frame_id="f2"),
        result(NOW - 60, camera_id="b", frame_id="f3"),  # who left while the history was away
        result(NOW, 0, camera_id="c"),
    ]
    stored = history.writer.store(batch, NOW)
    assert list(stored.requests) == [
        ThumbnailRequest("a", NOW, "f1", first=True),
        ThumbnailRequest("b", NOW - 60, "f3", first=True),
    ]
    assert history.writer.store_thumbnails([thumbnail(NOW, 2090)]) == 1
    assert history.writer.store([result(NOW + 1, 2)], NOW + 1).requests == []  # no better than what is there
    stored = history.writer.store([result(NOW + 2, 3, frame_id="f4")], NOW + 2)
    assert list(stored.requests) == [ThumbnailRequest("a", NOW, "f4", first=False)]


def test_the_better_picture_stays_also_when_events_become_one(history: History) -> None:
    history.writer.store([result(NOW)], NOW)
    history.writer.store([result(NOW + 8, 4)], NOW)
    given = [
        thumbnail(NOW, 1090, b"one"),
        thumbnail(NOW + 9, 4050, b"four", b"all four", frame_id="f2", faces=4),
        thumbnail(NOW + 9, 3090, b"three"),
        thumbnail(NOW + 900, 9090, b"nobody there"),
        thumbnail(NOW, 9090, b"no such camera", camera_id="z"),
    ]
    assert history.writer.store_thumbnails(given) == 2
    history.writer.store([result(NOW + 4)], NOW)
    found = history.rows(
        "SELECT e.event_id, thumbnail, jpeg FROM events e JOIN thumbnails t ON t.event_id = e.event_id"
    )
    assert [(event_id, quality, bytes(jpeg)) for event_id, quality, jpeg in found] == [(1, 4050, b"four")]
    assert history.rows("SELECT count(*) FROM thumbnails") == [(1,)]
    ((event_id, frame_id, detections, jpeg),) = history.rows(
        "SELECT event_id, frame_id, detections, jpeg FROM event_frames"
    )
    assert (event_id, frame_id, bytes(jpeg), len(json.loads(detections))) == (1, "f2", b"all four", 4)


def test_what_people_said_stays_when_events_become_one(history: History) -> None:
    history.writer.store([result(NOW)], NOW)
    history.writer.store([result(NOW + 8)], NOW)
    history.writer.change(lambda c: reviews.see(c, 1, "anna", NOW + 20))
    history.writer.change(lambda c: reviews.judge(c, 2, "wrong", "a lamp", "ben", NOW + 30))
    history.writer.store([result(NOW + 4)], NOW)
    said = "SELECT event_id, seen_by, seen_at, feedback, note, feedback_by FROM events"
    assert history.rows(said) == [(1, "ben", NOW + 30, "wrong", "a lamp", "ben")]
    history.writer.store([result(NOW - 8)], NOW)  # unseen, and becomes part of it
    history.writer.store([result(NOW - 4)], NOW)
    ((_, seen_by, _, feedback, _, _),) = history.rows(said)
    assert (seen_by, feedback) == (None, "wrong")


# --- retention ---------------------------------------------------------------------------------------------------


def pruned(history: History, wall: float) -> None:
    while history.writer.prune(wall):
        pass


def kept(history: History) -> tuple[int, ...]:
    return tuple(
        history.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608
        for table in ("results", "events", "thumbnails", "event_frames", "activity")
    )


def test_bounded_by_age(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "DELETE_AT_ONCE", 10)
    for day in (0, 8, 40):
        for n in range(25):
            history.writer.store([result(NOW + day * DAY + n * 10)], NOW + day * DAY + n * 10)
        history.writer.store_thumbnails([thumbnail(NOW + day * DAY, 1090)])
    assert kept(history) == (75, 75, 3, 3, 30)
    pruned(history, NOW)
    assert kept(history) == (75, 75, 3, 3, 30)
    pruned(history, NOW + 8 * DAY)
    assert kept(history) == (50, 50, 2, 2, 30)
    pruned(history, NOW + 40 * DAY)
    assert kept(history) == (25, 25, 1, 1, 10)
    pruned(history, NOW + 400 * DAY)
    assert kept(history) == (0, 0, 0, 0, 0)


def test_whole_pictures_make_room_oldest_first_and_leave_their_boxes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MB", 100)
    monkeypatch.setattr(retention, "PICTURES_AT_ONCE", 2)
    history = History(database_url, tmp_path, limits=RetentionLimits(pictures_mb=1))
    for n in range(6):
        history.writer.store([result(NOW - n * 60)], NOW)
        history.writer.store_thumbnails([thumbnail(NOW - n * 60, 1090, whole=b"x" * 40)])
    pruned(history, NOW)
    found = history.rows("SELECT bytes, jpeg IS NULL, width FROM event_frames ORDER BY event_id")
    assert found == [(0, True, 640)] * 4 + [(40, False, 640)] * 2
    history.writer.close()


def test_bounded_by_number(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "DELETE_AT_ONCE", 10)
    history = History(database_url, tmp_path, limits=RetentionLimits(rows=20, events=5))
    history.writer.store([result(NOW - n * 10) for n in range(100)], NOW)
    pruned(history, NOW)
    assert kept(history)[:2] == (20, 5)
    history.writer.close()


def test_those_that_still_grow_do_not_hide_the_old_ones(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "DELETE_AT_ONCE", 3)
    for n in range(10):  # ten cameras that always see somebody come first
        history.writer.store([result(NOW, camera_id=f"c{n}")], NOW)
    history.writer.store([result(NOW, camera_id="gone")], NOW)
    for n in range(10):
        history.writer.store([result(NOW + 4, camera_id=f"c{n}")], NOW + 8 * DAY)
    pruned(history, NOW + 8 * DAY)
    assert kept(history)[1] == 10
    assert "gone" not in {event[0] for event in history.events()}


def test_room_is_used_again(history: History) -> None:
    with history.database.writing() as connection:
        before = retention.size(connection)
    history.writer.store([result(NOW) for _ in range(2_000)], NOW)
    assert history.writer.size() > before + 200_000
    if not history.database.postgresql:  # PostgreSQL's own vacuum works when it likes
        pruned(history, NOW + 8 * DAY)
        assert history.writer.size() < before + 100_000


def test_a_full_disk_and_a_locked_file_write_nothing_and_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.1)
    history = History("", tmp_path)
    history.writer.store([result(NOW)], NOW)
    many = [result(NOW + n) for n in range(500)]
    with history.database.writing() as connection:
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most + 2}")
    with pytest.raises(DBAPIError) as full:
        history.writer.store(many, NOW)
    assert faults.reason(full.value) == "database or disk is full"
    with history.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    other = sqlite3.connect(tmp_path / "h.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DBAPIError) as locked:
        history.writer.store(many, NOW)
    assert faults.reason(locked.value) == "database is locked"
    assert history.rows("SELECT count(*), sum(frames) FROM results, events") == [(1, 1)]
    other.close()
    assert history.writer.store(many, NOW).new == 500
    history.writer.close()


def test_a_database_made_without_a_locale(shared_postgres: Postgres, tmp_path: Path) -> None:
    made = History(shared_postgres.create("ascii", "SQL_ASCII"), tmp_path)
    assert made.writer.store([result(NOW, model="пёс@1", reason="日本")], NOW).new == 1
    assert made.rows("SELECT model, reason FROM results") == [("пёс@1", "日本")]
    assert made.events() == [("a", 0.0, 0.0, 1, 1)]
    made.writer.close()


def test_a_database_that_cannot_hold_every_name_is_refused(shared_postgres: Postgres, tmp_path: Path) -> None:
    made = History(shared_postgres.create("latin", "LATIN1"), tmp_path)
    with pytest.raises(WrongEncoding, match=r"encoding LATIN1: make one .* createdb -E UTF8"):
        made.writer.open()
    made.writer.close()


# --- versions ----------------------------------------------------------------------------------------------------


def test_migrations_make_what_the_tables_say(history: History) -> None:
    with history.database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_pictures_of_before_count_by_their_faces_and_have_no_boxes(
    history: History, database_url: str, tmp_path: Path
) -> None:
    history.writer.store([result(NOW), result(NOW, camera_id="b")], NOW)
    with history.database.writing() as connection:
        connection.execute(text("UPDATE events SET thumbnail = 2 WHERE camera_id = 'a'"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        connection.execute(text("DROP TABLE event_frames"))
        connection.execute(text("DROP TABLE camera_states"))
        for name in ("events_unseen", "events_feedback"):
            connection.execute(text(f"DROP INDEX {name}"))
        reviews_ = ("seen_at", "seen_by", "feedback", "note", "feedback_at", "feedback_by")
        for name in (*reviews_, "asked_at", "description", "description_model"):
            connection.execute(text(f"ALTER TABLE events DROP COLUMN {name}"))
    history.writer.close()
    again = Database(database_url, tmp_path / "h.sqlite3")
    again.open()
    with again.reading(5) as connection:
        found = connection.execute(text("SELECT thumbnail FROM events ORDER BY camera_id")).scalars().all()
        (_, old) = queries.events(connection, EventFilter(seen=False), None, 5)
    assert found == [2000, None]
    view = event_view(old, NOW, 5.0, "")
    assert (view.thumbnail, view.picture, view.frame) == ("/api/events/1/thumbnail?quality=2000", None, None)
    again.close()


def test_a_newer_database_is_refused(history: History, database_url: str, tmp_path: Path) -> None:
    with history.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    history.writer.close()
    again = Database(database_url, tmp_path / "h.sqlite3")
    with pytest.raises(WrongVersion, match=r"another version of Framefleet .*9999.*move the history away"):
        again.open()
    again.close()


def test_a_start_with_nothing_to_do_needs_no_alembic(
    history: History, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.writer.close()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("Alembic was asked")

    monkeypatch.setattr(schema, "_upgrade", fail)
    again = Database(database_url, tmp_path / "h.sqlite3")
    again.open()
    again.close()


def test_a_migration_that_fails_leaves_all_as_it_was(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = schema._upgrade

    def fail_after(connection: Any, *, stamp: bool) -> None:
        real(connection, stamp=stamp)
        raise OSError("the machine stopped here")

    database = Database(database_url, tmp_path / "h.sqlite3")
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_upgrade", fail_after)
        with pytest.raises(OSError, match="stopped"):
            database.open()
    with database.writing() as connection:
        assert connection.dialect.get_table_names(connection) == []
    database.open()
    database.close()


OLD_SCHEMA = """
CREATE TABLE results (
    id INTEGER PRIMARY KEY, frame_id TEXT NOT NULL UNIQUE, camera_id TEXT NOT NULL, original_timestamp REAL NOT NULL,
    timestamp REAL NOT NULL, node_id TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
    width INTEGER NOT NULL, height INTEGER NOT NULL, processing_seconds REAL NOT NULL, queue_seconds REAL NOT NULL,
    faces INTEGER NOT NULL, detections TEXT NOT NULL, stored REAL NOT NULL
) STRICT;
CREATE INDEX results_camera ON results (camera_id, original_timestamp);
PRAGMA user_version = 1;
"""


def test_the_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "h.sqlite3")
    file.executescript(OLD_SCHEMA)
    file.execute(
        "INSERT INTO results VALUES (7, 'a:7', 'a', ?, ?, 'n', 'm', 'ok', NULL, 640, 480, 0.1, 0.2, 0, '[]', ?)",
        (NOW, NOW, NOW),
    )
    file.commit()
    file.close()
    history = History("", tmp_path)
    assert history.writer.store([result(NOW, frame_id="a:7"), result(NOW)], NOW).new == 1
    assert history.rows("SELECT id, hop FROM results ORDER BY id") == [(7, None), (8, None)]
    assert history.rows("PRAGMA user_version") == [(2,)]  # the first version refuses it with a sentence
    history.writer.close()


@pytest.mark.parametrize("version", [3, 99])
def test_a_foreign_file_is_left_alone(tmp_path: Path, version: int) -> None:
    file = sqlite3.connect(tmp_path / "h.sqlite3")
    file.execute(f"PRAGMA user_version = {version}")
    file.close()
    database = Database("", tmp_path / "h.sqlite3")
    with pytest.raises(WrongVersion, match="another version"):
        database.open()
    database.close()


# --- several gateways --------------------------------------------------------------------------------------------


def test_a_sqlite_file_is_for_one(tmp_path: Path) -> None:
    first, second = (Database("", tmp_path / "new" / "h.sqlite3") for _ in range(2))
    first.open()
    with pytest.raises(HistoryOccupied, match=r"another gateway writes .*\(DATABASE_URL=postgresql://"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_several_share_a_postgresql(shared_postgres: Any, tmp_path: Path) -> None:
    """Each is given everything, in an order of its own and in small batches: all wait for each other somewhere."""
    url = shared_postgres.create("several")
    everything = [result(NOW + n * 2, n % 3 + 1, camera_id=f"c{n % 7}", frame_id=f"f{n}") for n in range(420)]
    failures: list[Exception] = []
    new: list[int] = []

    def write(number: int) -> None:
        history = History(url, tmp_path, gap=20.0)
        mine = everything[number * 140 :] + everything[: number * 140]
        try:
            new.extend(
                history.writer.store(mine[begin : begin + 30], NOW).new for begin in range(0, len(mine), 30)
            )
        except Exception as error:
            failures.append(error)
        finally:
            history.writer.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    history = History(url, tmp_path)
    history.writer.open()
    assert sum(new) == history.writer.count() == 420
    assert history.rows("SELECT sum(frames), max(faces) FROM activity WHERE camera_id = ''") == [(420, 3)]
    events = history.events()
    assert [event[3] for event in events] == [60] * 7  # one presence of each camera, with all of its frames
    history.writer.close()


def test_a_reader_is_stopped_in_time(history: History) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    begun = time.monotonic()
    with pytest.raises(HistoryTooSlow), history.database.reading(0.2) as connection:
        connection.execute(text(endless))
    assert time.monotonic() - begun < 3


def test_readers_cannot_write(history: History) -> None:
    with pytest.raises((HistoryUnavailable, DBAPIError)), history.database.reading(5) as connection:
        connection.execute(text("DELETE FROM results"))


def claimed(
    history: History, wall: float, rules: Rules = ALL, allowed: Callable[[str], bool] = lambda _: True
) -> list[Undescribed]:
    return history.writer.change(lambda connection: claim(connection, rules, allowed, wall, 5.0))


def described(when: float, words: str, **more: Any) -> Result:
    found = msgspec.structs.replace(result(when, **more), description=words)
    return msgspec.structs.replace(found, frame_id=f"described:{found.frame_id}", model="seer@1")


def test_an_event_is_described_once_with_its_best_picture(history: History) -> None:
    history.writer.store([result(NOW, faces=1), result(NOW + 1, faces=2)], NOW + 1)
    history.writer.store_thumbnails([thumbnail(NOW, 1090, whole=b"first")])
    assert claimed(history, NOW + 2) == []  # it has only just begun
    history.writer.store_thumbnails([thumbnail(NOW + 1, 2090, whole=b"better")])
    assert claimed(history, NOW + 6, allowed=lambda _: False) == []
    (wanted,) = claimed(history, NOW + 6)
    assert (wanted.rule, wanted.picture, wanted.captured) == ("event", b"better", NOW + 1)
    assert claimed(history, NOW + 7) == []
    said = described(NOW + 1, "a cat\0 on a wall", faces=7)
    history.writer.store([said], NOW + 9)
    # Its detections are another model's: the event stays as the local one saw it.
    assert history.rows("SELECT frames, faces, description, description_model FROM events") == [
        (2, 2, "a cat\ufffd on a wall", "seer@1")
    ]
    assert history.rows("SELECT sum(frames) FROM activity WHERE camera_id <> ''") == [(2,)]
    # Delivered once more, and another event of the camera: nothing moves.
    history.writer.store([msgspec.structs.replace(said, description="a dog")], NOW + 9)
    history.writer.store([described(NOW + 300, "nobody")], NOW + 300)
    assert history.rows("SELECT description FROM events") == [("a cat\ufffd on a wall",)]


def test_only_unsure_events_that_have_ended_by_the_rule_of_low_confidence(history: History) -> None:
    rules = Rules(event=False, below=60)
    sure, unsure = result(NOW, faces=1, camera_id="sure"), result(NOW, faces=1, camera_id="unsure")
    weak = msgspec.structs.replace(
        unsure, detections=[msgspec.structs.replace(each, confidence=0.5) for each in unsure.detections]
    )
    history.writer.store([sure, weak], NOW)
    for camera_id in ("sure", "unsure"):
        history.writer.store_thumbnails([thumbnail(NOW, 1050, whole=b"it", camera_id=camera_id)])
    assert claimed(history, NOW + 5, rules) == []  # it may become surer
    assert [each.camera_id for each in claimed(history, NOW + 6, rules)] == ["unsure"]
    assert claimed(history, NOW + 7, rules) == []


def test_joined_events_keep_a_description_and_are_not_asked_for_again(history: History) -> None:
    for when in (NOW, NOW + 8):
        history.writer.store([result(when, faces=1)], NOW + 8)
        history.writer.store_thumbnails([thumbnail(when, 1090, whole=b"it")])
    assert len(claimed(history, NOW + 14)) == 2
    history.writer.store([described(NOW + 8, "a parcel")], NOW + 15)
    history.writer.store([result(NOW + 4, faces=1, frame_id="late")], NOW + 15)
    assert history.rows("SELECT frames, description FROM events") == [(3, "a parcel")]
    assert claimed(history, NOW + 16) == []


def test_many_events_are_claimed_some_at_a_time_and_old_ones_not_at_all(history: History) -> None:
    for number in range(AT_ONCE + 3):
        history.writer.store([result(NOW, faces=1, camera_id=f"c{number}")], NOW)
        history.writer.store_thumbnails([thumbnail(NOW, 1090, whole=b"it", camera_id=f"c{number}")])
    assert [len(claimed(history, NOW + 6)) for _ in range(3)] == [AT_ONCE, 3, 0]
    history.writer.store([result(NOW, faces=1, camera_id="old")], NOW)
    history.writer.store_thumbnails([thumbnail(NOW, 1090, whole=b"it", camera_id="old")])
    assert claimed(history, NOW + 700) == []


# --- motion without a face ---------------------------------------------------------------------------------------


def motion(when: float, ended: float | None = None, frame_id: str = "m") -> MotionStretch:
    return MotionStretch("a", when, ended or when, frame_id, "m@1")


def kept_motion(
    history: History, due: list[MotionStretch], longer: list[MotionStretch], wall: float
) -> dict[str, tuple[float, bool]]:
    return history.writer.change(lambda connection: keep_motion(connection, due, longer, wall, 5.0, labels))


def test_motion_without_a_face_is_an_event_that_is_asked_for_once(history: History) -> None:
    history.writer.open()
    stretch = motion(NOW, NOW + 4)
    assert kept_motion(history, [stretch], [], NOW + 5) == {"a": (NOW, True)}
    assert claimed(history, NOW + 6) == []  # no picture yet
    assert history.writer.store_thumbnails([thumbnail(NOW + 4, 1, whole=b"it")]) == 1
    assert claimed(history, NOW + 6, Rules(event=True, below=99)) == []
    (wanted,) = claimed(history, NOW + 6, Rules(event=False, below=None, motion=True))
    assert (wanted.rule, wanted.picture) == ("motion", b"it")
    # A restarted gateway, or another one, sees the same stretch: it begins no other event.
    again = motion(NOW + 7, NOW + 12)
    assert kept_motion(history, [again], [], NOW + 12) == {"a": (NOW, False)}
    again.event = NOW
    kept_motion(history, [], [again], NOW + 12)
    assert history.events() == [("a", NOW - 1795000000, NOW + 12 - 1795000000, 0, 0)]
    assert claimed(history, NOW + 13, Rules(event=True, below=99, motion=True)) == []
    history.writer.store([described(NOW + 4, "a fox on the lawn")], NOW + 14)
    assert history.rows("SELECT faces, description FROM events") == [(0, "a fox on the lawn")]


def test_a_face_takes_an_event_of_motion_over(history: History) -> None:
    history.writer.open()
    kept_motion(history, [motion(NOW, NOW + 4)], [], NOW + 5)
    history.writer.store_thumbnails([thumbnail(NOW + 4, 1, whole=b"nobody")])
    history.writer.store([result(NOW + 6, faces=1)], NOW + 6)
    assert history.writer.store_thumbnails([thumbnail(NOW + 6, 1090, whole=b"her")]) == 1
    assert history.events() == [("a", NOW - 1795000000, NOW + 6 - 1795000000, 1, 1)]
    longer = motion(NOW, NOW + 9)
    longer.event = NOW
    kept_motion(history, [], [longer], NOW + 9)  # it is not motion's any more
    assert history.events() == [("a", NOW - 1795000000, NOW + 6 - 1795000000, 1, 1)]
    assert kept_motion(history, [motion(NOW + 8)], [], NOW + 9) == {}
    assert [each.rule for each in claimed(history, NOW + 12)] == ["event"]


TWO_AT_ONCE = """
import sys, threading
from pathlib import Path
from gateway.history.database import Database

failed = []
threading.excepthook = failed.append

def make(name):
    for number in range(4):
        database = Database("", Path(sys.argv[1], f"{name}{number}", "history.sqlite3"))
        database.open()
        database.close()

threads = [threading.Thread(target=make, args=(name,)) for name in "abc"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(f"{failed[0].exc_value!r}" if failed else 0)
"""


def test_two_are_made_at_once_in_one_process(tmp_path: Path) -> None:
    """As two gateways of a test are; in a process of its own, which it may crash."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_AT_ONCE, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
