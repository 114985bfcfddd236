"""Results in SQLite. Synchronous: one object, used by one thread at a time."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract.result import Result

SCHEMA_VERSION = 1
DELETE_AT_ONCE = 5_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY,
    frame_id TEXT NOT NULL UNIQUE,
    camera_id TEXT NOT NULL,
    original_timestamp REAL NOT NULL,
    timestamp REAL NOT NULL,
    node_id TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    processing_seconds REAL NOT NULL,
    queue_seconds REAL NOT NULL,
    faces INTEGER NOT NULL,
    detections TEXT NOT NULL,
    stored REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS results_camera ON results (camera_id, original_timestamp);
"""
_INSERT = f"INSERT OR IGNORE INTO results VALUES (NULL{',?' * 15})"  # noqa: S608


class History:
    """The file and its one table; ids ascend with the time of storing. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._database.execute("PRAGMA journal_mode = WAL")
        # An acknowledged result must survive a power cut: the broker forgets it.
        self._database.execute("PRAGMA synchronous = FULL")
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            self._database.close()
            raise sqlite3.DatabaseError(
                f"{path} was written by another version of Framefleet (schema {version}, this one has "
                f"{SCHEMA_VERSION}): move it away or use that version"
            )
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def store(self, results: Iterable[Result], wall: float) -> int:
        """Write results in one transaction and return how many were new; known frame_ids are left as they are."""
        before = self._database.total_changes
        with self._transaction():
            self._database.executemany(_INSERT, [_row(result, wall) for result in results])
        return self._database.total_changes - before

    def prune(self, older_than: float, rows: int) -> int:
        """Delete some of what was stored before `older_than` or exceeds `rows`; returns how many, 0 when done."""
        newest, oldest = self._database.execute("SELECT max(id), min(id) FROM results").fetchone()
        if newest is None:
            return 0
        with self._transaction():
            return self._database.execute(
                "DELETE FROM results WHERE id < ? AND (id <= ? OR stored < ?)",
                (oldest + DELETE_AT_ONCE, newest - rows, older_than),
            ).rowcount

    def count(self) -> int:
        """How many results are kept."""
        return int(self._database.execute("SELECT count(*) FROM results").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._database)


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, failure: object, *_: object) -> None:
        self._database.execute("ROLLBACK" if failure else "COMMIT")


def _row(result: Result, wall: float) -> tuple[object, ...]:
    return (
        result.frame_id,
        result.camera_id,
        result.original_timestamp,
        result.timestamp,
        result.node_id,
        result.model,
        result.status,
        None if result.reason is msgspec.UNSET else result.reason,
        result.width,
        result.height,
        result.processing_seconds,
        result.queue_seconds,
        len(result.detections),
        msgspec.json.encode(result.detections).decode(),
        wall,
    )
