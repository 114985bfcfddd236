"""A job's books: an SQLite file with every item and what became of it. What it was told survives a kill -9.

Counts by state are kept by triggers, so that they are exact and cost nothing to ask at a million items. A video is an
item, and so is each of its samples that is analysed; the video is settled when they all are (`video_books`).
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from batch.inputs.found import Found
from batch.inputs.kinds import PICTURE
from batch.video_books import VIDEO_SCHEMA, VideoBooks

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts(state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  path BLOB NOT NULL UNIQUE,
  archive BLOB, member TEXT,
  size INTEGER, changed INTEGER,
  kind TEXT NOT NULL DEFAULT 'picture', video INTEGER, frame INTEGER, time REAL, own_width INTEGER, own_height INTEGER,
  digest TEXT, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, at_listing INTEGER NOT NULL DEFAULT 0,
  reason TEXT, error TEXT,
  width INTEGER, height INTEGER, model TEXT, detections TEXT, node_id TEXT,
  processing REAL, seconds REAL, settled REAL, cached INTEGER NOT NULL DEFAULT 0,
  description TEXT, cost INTEGER
);
CREATE INDEX IF NOT EXISTS open_items ON items(number) WHERE state IN ('waiting', 'sent');
CREATE INDEX IF NOT EXISTS inputs ON items(state, number) WHERE video IS NULL;
CREATE TRIGGER IF NOT EXISTS item_added AFTER INSERT ON items BEGIN
  UPDATE counts SET n = n + 1 WHERE state = NEW.state; END;
CREATE TRIGGER IF NOT EXISTS item_gone AFTER DELETE ON items BEGIN
  UPDATE counts SET n = n - 1 WHERE state = OLD.state; END;
CREATE TRIGGER IF NOT EXISTS item_moved AFTER UPDATE OF state ON items WHEN OLD.state IS NOT NEW.state BEGIN
  UPDATE counts SET n = n - 1 WHERE state = OLD.state;
  UPDATE counts SET n = n + 1 WHERE state = NEW.state; END;
"""
ADD = (
    "INSERT INTO items(path, archive, member, size, changed, kind, state, at_listing, reason, error, settled) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(path) DO UPDATE SET "
    "state = excluded.state, size = excluded.size, changed = excluded.changed, archive = excluded.archive, "
    "member = excluded.member, kind = excluded.kind, at_listing = excluded.at_listing, digest = NULL, attempts = 0, "
    "reason = excluded.reason, error = excluded.error, detections = NULL, description = NULL, "
    "seconds = NULL, settled = excluded.settled "
    "WHERE items.changed IS NOT excluded.changed OR items.size IS NOT excluded.size"
)
BUSY_SECONDS = 30.0
SLOWEST = 5


class State(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    SENT = "sent"  # the broker has it, and keeps it
    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """An item that is still open. `digest` is that of the picture that was sent last; `video` a sample's own item."""

    number: int
    path: bytes
    archive: bytes | None = None
    member: str | None = None
    digest: str | None = None
    attempts: int = 0
    kind: str = PICTURE
    video: int | None = None
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an item. `detections` is JSON as the worker wrote it; `processing` and `seconds` are durations.

    `description` is a remote model's, and `cost` what its answer cost, in billionths of a dollar.
    """

    ok: bool
    reason: str | None = None
    error: str | None = None
    detections: str | None = None
    width: int = 0
    height: int = 0
    model: str = ""
    node_id: str = ""
    processing: float | None = None
    seconds: float | None = None
    cached: bool = False
    description: str | None = None
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A settled input, for outputs: a picture, or a video (`video_books` has what was found in it). Sizes in pixels,
    durations in seconds; `cached`: it was known already.
    """

    number: int
    path: bytes
    archive: bytes | None
    member: str | None
    state: State
    reason: str | None
    error: str | None
    detections: str
    width: int
    height: int
    model: str
    processing: float | None
    seconds: float | None
    kind: str
    cached: bool
    description: str | None = None
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class InputRow:
    """An input, settled or not. `seconds` from sending to answer; `size` in bytes."""

    number: int
    path: bytes
    kind: str
    state: State
    reason: str | None
    error: str | None
    detections: str
    seconds: float | None
    size: int | None


INPUT_COLUMNS = "number, path, kind, state, reason, error, coalesce(detections, '[]'), seconds, size"


class Store:
    """One job's items. For one thread; others open the same file once more."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._db = sqlite3.connect(file, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
        self.videos = VideoBooks(self._db)

    def prepare(self) -> None:
        """Make the tables, unless they are there."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._db.executescript(VIDEO_SCHEMA)
        self._db.executemany("INSERT OR IGNORE INTO counts VALUES (?, 0)", [(state,) for state in State])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # --- about the job ------------------------------------------------------------------------------------

    def meta(self, name: str) -> str | None:
        """What was noted under that name."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, name: str, value: str) -> None:
        """Note something about the job."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def counts(self) -> dict[State, int]:
        """How many items there are in each state."""
        return {State(state): n for state, n in self._db.execute("SELECT state, n FROM counts")}

    # --- listing ------------------------------------------------------------------------------------------

    def begin_listing(self) -> None:
        """Forget what could not be listed the last time: it may be found now."""
        self._db.execute("DELETE FROM items WHERE at_listing = 1")

    def add(self, found: Sequence[Found]) -> None:
        """Enter items. One that is known stays as it is, unless it has changed since: then it waits again."""
        now = time.time()
        rows = [
            (
                each.path,
                each.archive,
                each.member,
                each.size,
                each.changed,
                each.kind,
                State.WAITING if each.reason is None else State.FAILED,
                int(each.reason is not None),
                each.reason,
                each.error,
                None if each.reason is None else now,
            )
            for each in found
        ]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(ADD, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def retry_failed(self) -> int:
        """Let what has failed wait again, with the videos of failed samples; returns how many items failed."""
        self._db.execute(
            "UPDATE items SET state = 'waiting', settled = NULL WHERE state = 'ok' AND number IN "
            "(SELECT video FROM items WHERE state = 'failed' AND video IS NOT NULL)"
        )
        return self._db.execute(
            "UPDATE items SET state = 'waiting', attempts = 0, digest = NULL, reason = NULL, error = NULL, "
            "settled = NULL WHERE state = 'failed'"
        ).rowcount

    # --- working ------------------------------------------------------------------------------------------

    def open_items(self, state: State, after: int = 0, most: int = 100) -> list[Item]:
        """Items in that state with a number above `after`, in order. Samples that wait are left to their video."""
        return [
            Item(*row)
            for row in self._db.execute(
                "SELECT number, path, archive, member, digest, attempts, kind, video, changed FROM items "
                "WHERE state IN ('waiting', 'sent') AND state = ? AND number > ? "
                "AND (video IS NULL OR state = 'sent') ORDER BY number LIMIT ?",
                (state, after, most),
            )
        ]

    def claim(self, number: int, digest: str, size: int) -> None:
        """Note which picture is about to be sent for the item, so that its answer is known even after a kill -9."""
        self._db.execute(
            "UPDATE items SET digest = ?, size = ?, attempts = attempts + 1 WHERE number = ?",
            (digest, size, number),
        )

    def sent(self, number: int) -> None:
        """Note that the broker keeps the item's task; one that has its answer already stays settled."""
        self._db.execute("UPDATE items SET state = 'sent' WHERE number = ? AND state = 'waiting'", (number,))

    def unsend(self, number: int) -> None:
        """Let an item wait again that has no answer."""
        self._db.execute("UPDATE items SET state = 'waiting' WHERE number = ? AND state = 'sent'", (number,))

    def digest(self, number: int) -> str | None:
        """The digest of the picture that was sent last for the item."""
        row = self._db.execute("SELECT digest FROM items WHERE number = ?", (number,)).fetchone()
        return None if row is None else row[0]

    def settle(self, number: int, answer: Answer, digest: str | None = None) -> bool:
        """Note what became of an item, once: returns False if it is settled, or this answers another picture.

        `digest` is the beginning of that of the picture.
        """
        changed = self._db.execute(
            "UPDATE items SET state = ?, reason = ?, error = ?, detections = ?, width = ?, height = ?, model = ?, "
            "node_id = ?, processing = ?, seconds = ?, cached = ?, description = ?, "
            "cost = CASE WHEN ? IS NULL THEN cost ELSE coalesce(cost, 0) + ? END, settled = ? "
            "WHERE number = ? AND state IN ('waiting', 'sent') AND (? IS NULL OR substr(digest, 1, length(?)) = ?)",
            (
                State.OK if answer.ok else State.FAILED,
                answer.reason,
                answer.error,
                answer.detections,
                answer.width,
                answer.height,
                answer.model,
                answer.node_id,
                answer.processing,
                answer.seconds,
                answer.cached,
                answer.description,
                answer.cost,
                answer.cost,
                time.time(),
                number,
                digest,
                digest,
                digest,
            ),
        )
        return changed.rowcount == 1

    # --- looking back -------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """Every settled input, in order, as it is now; read in pieces. A video's samples are not inputs."""
        after = 0
        while True:
            found = self._db.execute(
                "SELECT number, path, archive, member, state, reason, error, coalesce(detections, '[]'), "
                "coalesce(width, 0), coalesce(height, 0), coalesce(model, ''), processing, seconds, kind, cached, "
                "description, cost FROM items WHERE number > ? AND state IN ('ok', 'failed') AND video IS NULL "
                "ORDER BY number LIMIT 1000",
                (after,),
            ).fetchall()
            if not found:
                return
            after = found[-1][0]
            for row in found:
                number, path, archive, member, state, *rest = row
                yield Row(number, path, archive, member, State(state), *rest)

    def inputs(
        self,
        after: int,
        most: int,
        state: State | None = None,
        reason: str | None = None,
        kind: str | None = None,
    ) -> list[InputRow]:
        """Inputs with a number above `after`, in order: all, or those in a state, that failed for a reason, of a
        kind."""
        chosen = {"state": state, "reason": reason, "kind": kind}
        wanted = {name: value for name, value in chosen.items() if value is not None}
        found = self._db.execute(
            f"SELECT {INPUT_COLUMNS} FROM items WHERE video IS NULL AND number > ? "  # noqa: S608
            f"{''.join(f'AND {name} = ? ' for name in wanted)}ORDER BY number LIMIT ?",
            (after, *wanted.values(), most),
        )
        return [_input(row) for row in found]

    def input(self, number: int) -> InputRow | None:
        """The input of that number."""
        row = self._db.execute(
            f"SELECT {INPUT_COLUMNS} FROM items WHERE video IS NULL AND number = ?",  # noqa: S608
            (number,),
        ).fetchone()
        return None if row is None else _input(row)

    def cached(self) -> int:
        """How many items were known already."""
        return int(self._db.execute("SELECT count(*) FROM items WHERE cached").fetchone()[0])

    def cost(self) -> int | None:
        """What all answers cost, in billionths of a dollar; None where none told of money."""
        (cost,) = self._db.execute("SELECT sum(cost) FROM items").fetchone()
        return None if cost is None else int(cost)

    def reasons(self) -> dict[str, int]:
        """How many items failed for each reason, the most first."""
        return dict(
            self._db.execute(
                "SELECT reason, count(*) AS n FROM items WHERE state = 'failed' GROUP BY reason ORDER BY n DESC"
            ).fetchall()
        )

    def failures(self, most: int) -> list[tuple[bytes, str]]:
        """Some of what failed, and why: inputs first, then pictures of videos."""
        return self._db.execute(
            "SELECT path, reason FROM items WHERE state = 'failed' ORDER BY video IS NOT NULL, number LIMIT ?",
            (most,),
        ).fetchall()

    def quantiles(self, shares: Iterable[float]) -> list[float | None]:
        """Seconds from sending to answer, below which those shares of the items are; None where there is none."""
        (count,) = self._db.execute("SELECT count(*) FROM items WHERE seconds IS NOT NULL").fetchone()
        found: list[float | None] = []
        for share in shares:
            row = self._db.execute(
                "SELECT seconds FROM items WHERE seconds IS NOT NULL ORDER BY seconds LIMIT 1 OFFSET ?",
                (min(max(0, count - 1), int(share * count)),),
            ).fetchone()
            found.append(None if row is None else float(row[0]))
        return found

    def slowest(self) -> list[tuple[bytes, float]]:
        """The items that took longest, with their seconds."""
        return self._db.execute(
            "SELECT path, processing FROM items WHERE processing IS NOT NULL ORDER BY processing DESC LIMIT ?",
            (SLOWEST,),
        ).fetchall()


def _input(row: Sequence[Any]) -> InputRow:
    number, path, kind, state, *rest = row
    return InputRow(number, path, kind, State(state), *rest)


def again(file: Path) -> "closing[Store]":
    """The same books once more, for another thread; closed with the block."""
    return closing(Store(file))
