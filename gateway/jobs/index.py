"""The list of the gateway's jobs and of what is uploaded for them: an SQLite file. What it was told survives a kill -9.

A job's items are in its own books (`batch.store`). For one thread.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from batch.uploads.messages import JobFigures

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs(
  number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, state TEXT NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0, work INTEGER NOT NULL DEFAULT 0, wrapped INTEGER NOT NULL DEFAULT 0, note TEXT,
  settings TEXT NOT NULL, created REAL NOT NULL, started REAL, ended REAL, by TEXT, bytes INTEGER NOT NULL DEFAULT 0,
  files INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0, touched REAL NOT NULL, figures TEXT NOT NULL,
  cold INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs(state, number);
CREATE INDEX IF NOT EXISTS jobs_with_work ON jobs(number) WHERE work = 1;
CREATE TABLE IF NOT EXISTS uploads(
  number INTEGER PRIMARY KEY AUTOINCREMENT, upload_id TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL, path TEXT NOT NULL,
  size INTEGER NOT NULL, stamp INTEGER NOT NULL, touched REAL NOT NULL, complete INTEGER NOT NULL DEFAULT 0, kind TEXT,
  growing INTEGER NOT NULL DEFAULT 0, note TEXT, UNIQUE(job_id, path));
CREATE INDEX IF NOT EXISTS uploads_of ON uploads(job_id, complete, number);
CREATE INDEX IF NOT EXISTS uploads_open ON uploads(touched) WHERE complete = 0;
"""
COLD = "ALTER TABLE jobs ADD COLUMN cold INTEGER NOT NULL DEFAULT 0"
"""For a list that is older."""
JOB_COLUMNS = (
    "number, job_id, name, state, complete, work, wrapped, note, settings, created, started, ended, by, bytes, files, "
    "touched, figures"
)
UPLOAD_COLUMNS = "number, upload_id, job_id, path, size, stamp, touched, complete, kind, growing, note"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job. `work`: there is something to compute or to put away; `wrapped`: all of it is done and put away."""

    number: int
    job_id: str
    name: str
    state: str
    complete: bool
    work: bool
    wrapped: bool
    note: str | None
    settings: dict[str, Any]
    created: float
    started: float | None
    ended: float | None
    by: str | None
    bytes: int
    files: int
    touched: float
    figures: JobFigures

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "cancelled", "lost")


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A file of a job; `path` below the folder of its inputs. `growing`: a video that is read while it comes."""

    number: int
    upload_id: str
    job_id: str
    path: str
    size: int
    stamp: int
    touched: float
    complete: bool
    kind: str | None
    growing: bool
    note: str | None


class JobIndex:
    """The jobs of one gateway. Raises sqlite3.Error."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            raise sqlite3.OperationalError("it is not open yet")
        return self._open

    def open(self) -> None:
        """Open the file, and make the tables unless they are there."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            opened.execute("PRAGMA journal_mode = WAL")
            opened.execute("PRAGMA synchronous = NORMAL")
            opened.executescript(SCHEMA)
            if "cold" not in {row[1] for row in opened.execute("PRAGMA table_info(jobs)")}:
                opened.execute(COLD)
        except sqlite3.Error:
            opened.close()
            raise
        self._open = opened

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()

    # --- jobs --------------------------------------------------------------------------------------------

    def add_job(self, job_id: str, name: str, settings: dict[str, Any], by: str | None) -> JobRow:
        """Enter a new job."""
        now = time.time()
        self._db.execute(
            "INSERT INTO jobs(job_id, name, state, settings, created, by, touched, figures) "
            "VALUES (?, ?, 'uploading', ?, ?, ?, ?, '{}')",
            (job_id, name, json.dumps(settings), now, by, now),
        )
        row = self.job(job_id)
        assert row is not None  # noqa: S101 - it was just entered
        return row

    def job(self, job_id: str) -> JobRow | None:
        """The job of that id."""
        row = self._db.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()  # noqa: S608
        return None if row is None else _job(row)

    def jobs(self, before: int | None, most: int, state: str | None) -> list[JobRow]:
        """Jobs whose numbers are below `before`, the newest first."""
        found = self._db.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE (? IS NULL OR number < ?) "  # noqa: S608
            f"{'AND state = ?' if state else 'AND ? IS NULL'} ORDER BY number DESC LIMIT ?",
            (before, before, state, most),
        )
        return [_job(row) for row in found]

    def count_jobs(self) -> int:
        """How many jobs there are."""
        return int(self._db.execute("SELECT count(*) FROM jobs").fetchone()[0])

    def job_ids(self) -> set[str]:
        """The ids of all jobs."""
        return {job_id for (job_id,) in self._db.execute("SELECT job_id FROM jobs")}

    def working(self) -> list[JobRow]:
        """Jobs with something to do, the oldest first."""
        found = self._db.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE work = 1 ORDER BY number")  # noqa: S608
        return [_job(row) for row in found]

    def silent(self, since: float) -> list[str]:
        """Jobs that wait for uploads, and for which none has come since."""
        found = self._db.execute(
            "SELECT job_id FROM jobs WHERE state = 'uploading' AND touched < ? AND NOT EXISTS "
            "(SELECT 1 FROM uploads WHERE uploads.job_id = jobs.job_id AND complete = 0)",
            (since,),
        )
        return [job_id for (job_id,) in found]

    def ended_before(self, moment: float) -> list[str]:
        """Jobs that have been over since before that moment."""
        found = self._db.execute(
            "SELECT job_id FROM jobs WHERE ended < ? AND state IN ('done', 'cancelled', 'failed', 'lost') LIMIT 100",
            (moment,),
        )
        return [job_id for (job_id,) in found]

    def hot_before(self, moment: float) -> list[str]:
        """Jobs that have been over since before that moment, and whose objects are not moved to the cold shelf yet."""
        found = self._db.execute(
            "SELECT job_id FROM jobs WHERE cold = 0 AND wrapped = 1 AND ended < ? ORDER BY ended LIMIT 100",
            (moment,),
        )
        return [job_id for (job_id,) in found]

    def change_job(self, job_id: str, **changes: Any) -> None:
        """Change columns of a job; `figures` as they are."""
        if "figures" in changes:
            changes["figures"] = msgspec.json.encode(changes["figures"]).decode()
        names = ", ".join(f"{name} = ?" for name in changes)
        self._db.execute(f"UPDATE jobs SET {names} WHERE job_id = ?", (*changes.values(), job_id))  # noqa: S608

    def let_rest(self, job: JobRow) -> None:
        """Note that a job has nothing to do, unless something has come since it was looked at."""
        self._db.execute(
            "UPDATE jobs SET work = 0 WHERE job_id = ? AND state = 'uploading' AND touched = ?",
            (job.job_id, job.touched),
        )

    def video_bytes(self, job_id: str) -> int:
        """Bytes of a job's videos."""
        found = self._db.execute(
            "SELECT coalesce(sum(size), 0) FROM uploads WHERE job_id = ? AND kind = 'video'", (job_id,)
        )
        return int(found.fetchone()[0])

    def wrap(self, job_id: str, state: str, figures: JobFigures, kept: int) -> None:
        """Note that all of a job is done and put away; so many bytes are kept of it."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM uploads WHERE job_id = ?", (job_id,))
        self._db.execute(
            "UPDATE jobs SET state = ?, figures = ?, kept = ?, work = 0, wrapped = 1, note = NULL, "
            "ended = coalesce(ended, ?) WHERE job_id = ?",
            (state, msgspec.json.encode(figures).decode(), kept, time.time(), job_id),
        )
        self._db.execute("COMMIT")

    def delete_job(self, job_id: str) -> None:
        """Forget a job and its uploads."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM uploads WHERE job_id = ?", (job_id,))
        self._db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))
        self._db.execute("COMMIT")

    # --- uploads ------------------------------------------------------------------------------------------

    def add_upload(self, upload_id: str, job_id: str, path: str, size: int) -> UploadRow | None:
        """Enter an upload; None if the job has one of that path."""
        now = time.time()
        made = self._db.execute(
            "INSERT INTO uploads(upload_id, job_id, path, size, stamp, touched) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT(job_id, path) DO NOTHING",
            (upload_id, job_id, path, size, time.time_ns(), now),
        )
        return self.upload(job_id, upload_id) if made.rowcount else None

    def upload(self, job_id: str, upload_id: str) -> UploadRow | None:
        """The upload of that id."""
        row = self._db.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE upload_id = ? AND job_id = ?",  # noqa: S608
            (upload_id, job_id),
        ).fetchone()
        return None if row is None else _upload(row)

    def uploads(self, job_id: str, *, complete: bool, most: int = -1) -> list[UploadRow]:
        """A job's uploads that are complete, or are not, in the order in which they began."""
        found = self._db.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE job_id = ? AND complete = ? ORDER BY number LIMIT ?",  # noqa: S608
            (job_id, complete, most),
        )
        return [_upload(row) for row in found]

    def uploads_after(self, job_id: str, after: int, most: int) -> list[UploadRow]:
        """A page of a job's uploads, complete or not: those that began after the one of that number."""
        found = self._db.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?",  # noqa: S608
            (job_id, after, most),
        )
        return [_upload(row) for row in found]

    def count_uploads(self, job_id: str) -> int:
        """How many files a job has, complete or not."""
        found = self._db.execute("SELECT count(*) FROM uploads WHERE job_id = ?", (job_id,))
        return int(found.fetchone()[0])

    def change_upload(self, upload_id: str, **changes: Any) -> None:
        """Change columns of an upload."""
        names = ", ".join(f"{name} = ?" for name in changes)
        self._db.execute(
            f"UPDATE uploads SET {names} WHERE upload_id = ?",  # noqa: S608
            (*changes.values(), upload_id),
        )

    def complete_upload(self, upload: UploadRow, kind: str) -> None:
        """Note that all of a file has come."""
        now = time.time()
        self._db.execute("BEGIN IMMEDIATE")
        changed = self._db.execute(
            "UPDATE uploads SET complete = 1, kind = ?, touched = ?, note = NULL "
            "WHERE upload_id = ? AND complete = 0",
            (kind, now, upload.upload_id),
        )
        if changed.rowcount:
            self._db.execute(
                "UPDATE jobs SET files = files + 1, bytes = bytes + ?, touched = ?, "
                "work = state IN ('uploading', 'running') WHERE job_id = ?",
                (upload.size, now, upload.job_id),
            )
        self._db.execute("COMMIT")

    def grow_upload(self, upload: UploadRow) -> None:
        """Note that a video can be read while it comes."""
        now = time.time()
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "UPDATE uploads SET growing = 1, touched = ? WHERE upload_id = ?", (now, upload.upload_id)
        )
        self._db.execute(
            "UPDATE jobs SET touched = ?, work = state IN ('uploading', 'running') WHERE job_id = ?",
            (now, upload.job_id),
        )
        self._db.execute("COMMIT")

    def delete_upload(self, upload_id: str) -> None:
        """Forget an upload."""
        self._db.execute("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))

    def stale_uploads(self, since: float) -> list[UploadRow]:
        """Uploads that are not complete, of which nothing was noted since."""
        found = self._db.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE complete = 0 AND touched < ?",  # noqa: S608
            (since,),
        )
        return [_upload(row) for row in found]

    def held_bytes(self) -> int:
        """Bytes that all uploads and all that is kept of ended jobs take, or will."""
        (uploads,) = self._db.execute("SELECT coalesce(sum(size), 0) FROM uploads").fetchone()
        (kept,) = self._db.execute("SELECT coalesce(sum(kept), 0) FROM jobs").fetchone()
        return int(uploads) + int(kept)


def _job(row: Sequence[Any]) -> JobRow:
    number, job_id, name, state, complete, work, wrapped, note, settings, *rest = row
    created, started, ended, by, size, files, touched, figures = rest
    return JobRow(
        number,
        job_id,
        name,
        state,
        bool(complete),
        bool(work),
        bool(wrapped),
        note,
        json.loads(settings),
        created,
        started,
        ended,
        by,
        size,
        files,
        touched,
        msgspec.json.decode(figures, type=JobFigures),
    )


def _upload(row: Sequence[Any]) -> UploadRow:
    number, upload_id, job_id, path, size, stamp, touched, complete, kind, growing, note = row
    return UploadRow(
        number, upload_id, job_id, path, size, stamp, touched, bool(complete), kind, bool(growing), note
    )
