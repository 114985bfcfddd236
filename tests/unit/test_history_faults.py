"""What SQLite's errors mean to the operator: real ones, made on files."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from gateway.errors import HistoryMoved, WrongVersion
from gateway.history.faults import KINDS, fault


def history(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=0)
    database.execute("CREATE TABLE IF NOT EXISTS results (frame BLOB)")
    return database


def full(path: Path) -> None:
    with contextlib.closing(history(path)) as database:
        database.execute("PRAGMA max_page_count = 3")
        database.execute("INSERT INTO results VALUES (zeroblob(100000))")


def read_only(path: Path) -> None:
    history(path).close()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.execute("INSERT INTO results VALUES (1)")


def locked(path: Path) -> None:
    with contextlib.closing(history(path)) as other, contextlib.closing(history(path)) as database:
        other.execute("BEGIN EXCLUSIVE")
        database.execute("INSERT INTO results VALUES (1)")


def no_database(path: Path) -> None:
    path.write_text("not a database" * 100)
    history(path)


def cut_off(path: Path) -> None:
    with contextlib.closing(history(path)) as database:
        database.execute("INSERT INTO results VALUES (zeroblob(100000))")
    with path.open("r+b") as file:
        file.truncate(4_096)
    history(path).execute("SELECT frame FROM results").fetchall()


def other_tables(path: Path) -> None:
    with contextlib.closing(history(path)) as database:
        database.execute("SELECT * FROM events")


def folder(path: Path) -> None:
    path.mkdir()
    history(path)


def file_for_the_folder(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")
    history(path)


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (no_database, "damaged", "does not mend by itself: move it, history.sqlite3-wal and"),
        (cut_off, "damaged", "is damaged (database disk image is malformed)"),
        (other_tables, "foreign", "(no such table: events): move it away"),
        (read_only, "unwritable", "cannot be written (attempt to write a readonly database): let the user "),
        (folder, "unwritable", "is a folder: move it away"),
        (file_for_the_folder, "unwritable", "GATEWAY_DATA_DIR is a file and must be a folder"),
        (full, "full", "no room for history.sqlite3 in GATEWAY_DATA_DIR (database or disk is full)"),
        (locked, "locked", "another program holds history.sqlite3 in GATEWAY_DATA_DIR locked: end it"),
    ],
)
def test_an_error_of_sqlite_is_said_with_what_to_do(
    tmp_path: Path, cause: Callable[[Path], None], kind: str, words: str
) -> None:
    path = tmp_path / "data" / "history.sqlite3"
    path.parent.mkdir()
    with pytest.raises(sqlite3.Error) as caught:
        cause(path)
    for error in (caught.value, DBAPIError("INSERT a secret", {}, caught.value)):
        found = fault(error, path)
        assert (found.kind, words in found.sentence) == (kind, True), found
        assert kind in KINDS
        assert str(tmp_path) not in found.sentence  # /readyz is for everybody
        assert "secret" not in found.sentence


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "Permission denied", "/home/somebody/history.sqlite3.lock"), "unwritable"),
        (OSError(30, "Read-only file system"), "unwritable"),
        (WrongVersion("the history was written by another version"), "foreign"),
        (HistoryMoved(), "moved"),
        (sqlite3.OperationalError("of a driver without codes"), "unavailable"),
        (RuntimeError("whatever"), "unavailable"),
    ],
)
def test_every_other_error_has_a_kind(tmp_path: Path, error: Exception, kind: str) -> None:
    found = fault(error, tmp_path / "history.sqlite3")
    assert (found.kind, bool(found.sentence)) == (kind, True)
    assert "somebody" not in found.sentence
