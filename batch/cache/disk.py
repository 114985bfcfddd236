"""This machine's own level, which outlives the process: a small database in the user's cache folder.

It may be deleted at any time, be full, damaged, on a disk without space, or used by several jobs at once. Then it costs
its own hits and nothing else.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.logs import get_logger

log = get_logger("batch")

BUSY_SECONDS = 0.5  # another job is writing
CHECKED_EVERY = 500  # writes
ROOM = 0.9  # of the bound, to which it is emptied when the bound is reached
TOUCH_SECONDS = 3600.0  # reading writes only that often when something was last used
TABLE = """CREATE TABLE IF NOT EXISTS results (
  key BLOB PRIMARY KEY, value BLOB NOT NULL, kept REAL NOT NULL, used REAL NOT NULL) WITHOUT ROWID"""
INDEX = "CREATE INDEX IF NOT EXISTS results_used ON results (used)"


def default_folder() -> Path:
    """The folder of what is kept between runs, beside that of downloaded models."""
    return Path.home() / ".cache" / "framefleet" / "results"


class DiskLevel:
    """Bytes by key, at most `most_bytes` of them and `most_entries`, for at most `ttl` seconds."""

    name = "disk"

    def __init__(
        self,
        folder: Path,
        most_bytes: int,
        ttl: float,
        *,
        most_entries: int = 1_000_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = folder / "results.sqlite"
        self._most_bytes = most_bytes
        self._most_entries = most_entries
        self._ttl = ttl
        self._clock = clock
        self._written = 0
        self._database = self._opened()

    def get(self, key: bytes) -> bytes | None:
        now = self._clock()
        rows = self._do("SELECT value, kept, used FROM results WHERE key = ?", key)
        if not rows:
            return None
        value, kept, used = rows[0]
        if not isinstance(value, bytes) or not isinstance(kept, float) or not isinstance(used, float):
            return None  # somebody else wrote this
        if not 0 <= now - kept < self._ttl:
            return None
        if now - used > TOUCH_SECONDS:
            self._do("UPDATE results SET used = ? WHERE key = ?", now, key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        if len(value) > self._most_bytes // 16:
            return
        now = self._clock()
        self._do("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", key, value, now, now)
        self._written += 1
        if self._written % CHECKED_EVERY == 0:
            self._make_room()

    def close(self) -> None:
        if self._database is not None:
            self._make_room()
        if self._database is not None:
            self._database.close()
            self._database = None

    def _make_room(self) -> None:
        """Drop what is too old; then, beyond the bounds, what was unused for longest."""
        self._do("DELETE FROM results WHERE kept <= ?", self._clock() - self._ttl)
        rows = self._do("SELECT COUNT(*), COALESCE(SUM(LENGTH(value) + 100), 0) FROM results")
        if not rows:
            return
        count, size = rows[0]
        share = max(count / self._most_entries, size / self._most_bytes)
        if share > 1:
            surplus = int(count * (1 - ROOM / share)) + 1
            self._do(
                "DELETE FROM results WHERE key IN (SELECT key FROM results ORDER BY used LIMIT ?)", surplus
            )

    def _do(self, statement: str, *values: object) -> list[Any]:
        """Carry out a statement; what fails is a miss, and what is damaged is begun anew, once."""
        if self._database is None:
            return []
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:  # locked, full, read-only: perhaps not the next time
            log.debug("the results on disk are not at hand", error=str(error))
        except sqlite3.Error as error:
            log.warning(
                "the results on disk are damaged and begun anew", file=str(self._file), error=str(error)
            )
            self._database.close()
            self._database = None
            self._delete()
            self._database = self._opened(again=False)
        return []

    def _opened(self, *, again: bool = True) -> sqlite3.Connection | None:
        database = None
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What was found in pictures is nobody else's matter.
            self._file.touch(mode=0o600)
            database = sqlite3.connect(
                self._file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")  # a crash costs what can be computed again
            database.execute(TABLE)
            database.execute(INDEX)
        except (OSError, sqlite3.Error) as error:
            if database is not None:
                database.close()
            if (
                again
                and isinstance(error, sqlite3.DatabaseError)
                and not isinstance(error, sqlite3.OperationalError)
            ):
                self._delete()
                return self._opened(again=False)
            log.warning("results are not kept on disk", file=str(self._file), error=str(error))
            return None
        return database

    def _delete(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._file.with_name(self._file.name + ending).unlink()
