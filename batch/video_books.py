"""What a job's books say of videos: which of their samples were analysed, and whose result holds when.

A sample is an item whose path is that of its video, NUL, and the number of its frame: no file is called so. A
video that is read again, since it was interrupted, finds its samples by these numbers.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from batch.inputs.kinds import SAMPLE, VIDEO
from batch.video.report import VideoReport
from batch.video.timeline import HeldResult

VIDEO_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS videos(number INTEGER PRIMARY KEY, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held(
  number INTEGER PRIMARY KEY AUTOINCREMENT, video INTEGER NOT NULL,
  frame INTEGER NOT NULL, started REAL NOT NULL, ended REAL NOT NULL);
CREATE INDEX IF NOT EXISTS held_of ON held(video, number);
CREATE UNIQUE INDEX IF NOT EXISTS samples ON items(video, frame) WHERE video IS NOT NULL;
CREATE INDEX IF NOT EXISTS videos_of ON items(number) WHERE kind = '{VIDEO}';
CREATE INDEX IF NOT EXISTS open_samples ON items(video) WHERE video IS NOT NULL AND state IN ('waiting', 'sent');
CREATE TRIGGER IF NOT EXISTS video_changed AFTER UPDATE OF changed ON items WHEN NEW.kind = '{VIDEO}' BEGIN
  DELETE FROM items WHERE video = NEW.number; DELETE FROM held WHERE video = NEW.number;
  DELETE FROM videos WHERE number = NEW.number; END;
"""  # noqa: S608 - of constants
SEPARATOR = b"\0"
PIECE = 1000


@dataclass(frozen=True, slots=True)
class SampleItem:
    """A sample as an item: its number, whether it still waits, and how often it was sent."""

    number: int
    waits: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample as it is settled, for outputs. `frame` and `time` (seconds) are its place in the video.

    `own_width` x `own_height` are the pixels of the video's picture, `width` x `height` those of what was
    analysed.
    """

    number: int
    frame: int
    time: float
    own_width: int
    own_height: int
    ok: bool
    reason: str | None
    detections: str
    width: int
    height: int
    model: str
    processing: float | None


SAMPLE_COLUMNS = (
    "number, frame, time, own_width, own_height, state = 'ok', reason, coalesce(detections, '[]'), coalesce(width, 0), "
    "coalesce(height, 0), coalesce(model, ''), processing"
)


class VideoBooks:
    """The part of a job's books that is about videos; on the connection of its `batch.store.Store`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    # --- working ------------------------------------------------------------------------------------------

    def begin(self, video: int) -> None:
        """Note that the video is read from its beginning; samples stay as they are."""
        self._db.execute("DELETE FROM held WHERE video = ?", (video,))
        self._db.execute("DELETE FROM videos WHERE number = ?", (video,))

    def enter(self, video: int, path: bytes, frame: int, at: float, size: tuple[int, int]) -> SampleItem:
        """Enter a sample that is to be analysed; one that is known stays as it is."""
        self._db.execute(
            "INSERT INTO items(path, kind, video, frame, time, own_width, own_height, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting') ON CONFLICT DO NOTHING",
            (path + SEPARATOR + str(frame).encode(), SAMPLE, video, frame, at, *size),
        )
        number, waits, attempts = self._db.execute(
            "SELECT number, state = 'waiting', attempts FROM items WHERE video = ? AND frame = ?",
            (video, frame),
        ).fetchone()
        return SampleItem(number, bool(waits), attempts)

    def hold(self, video: int, held: Sequence[HeldResult]) -> None:
        """Note whose results hold when."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "INSERT INTO held(video, frame, started, ended) VALUES (?, ?, ?, ?)",
            [(video, each.sample, each.started, each.ended) for each in held],
        )
        self._db.execute("COMMIT")

    def read(self, video: int, report: VideoReport) -> None:
        """Note what became of the video's pictures: it has been read."""
        said = msgspec.json.encode(report).decode()
        self._db.execute("INSERT OR REPLACE INTO videos VALUES (?, ?)", (video, said))

    def unsettled(self, video: int) -> bool:
        """Whether one of its samples is still open."""
        found = self._db.execute(
            "SELECT 1 FROM items WHERE video = ? AND video IS NOT NULL AND state IN ('waiting', 'sent') LIMIT 1",
            (video,),
        )
        return found.fetchone() is not None

    def settle(self, video: int, changed: int | None, reason: str | None, error: str | None) -> None:
        """Settle a video that was read, by `reason` as failed; one that has changed meanwhile begins anew.

        If all its samples failed, it failed, for the reason of the first.
        """
        if reason is None:
            first = self._db.execute(
                "SELECT reason, error FROM items AS s WHERE video = ? AND state = 'failed' AND NOT EXISTS "
                "(SELECT 1 FROM items WHERE video = s.video AND state = 'ok') ORDER BY frame LIMIT 1",
                (video,),
            ).fetchone()
            reason, error = first or (None, None)
        self._db.execute(
            "UPDATE items SET state = ?, reason = ?, error = ?, settled = ? "
            "WHERE number = ? AND state = 'waiting' AND changed IS ?",
            ("ok" if reason is None else "failed", reason, error, time.time(), video, changed),
        )

    def forget(self, video: int) -> None:
        """Forget a video's samples: they are of what its file was before."""
        self._db.execute("DELETE FROM items WHERE video = ?", (video,))
        self.begin(video)

    def changed(self, video: int) -> int | None:
        """When the video's file was changed, as it was listed last."""
        row = self._db.execute("SELECT changed FROM items WHERE number = ?", (video,)).fetchone()
        return None if row is None else row[0]

    # --- looking back -------------------------------------------------------------------------------------

    def report(self, video: int) -> VideoReport | None:
        """The counts of a video's pictures; None for one that was not read to its end."""
        row = self._db.execute("SELECT report FROM videos WHERE number = ?", (video,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=VideoReport)

    def count(self) -> int:
        """How many videos there are."""
        (count,) = self._db.execute(f"SELECT count(*) FROM items WHERE kind = '{VIDEO}'").fetchone()  # noqa: S608
        return int(count)

    def reports(self) -> Iterator[VideoReport]:
        """The counts of every video that was read."""
        for (said,) in self._db.execute("SELECT report FROM videos ORDER BY number"):
            yield msgspec.json.decode(said, type=VideoReport)

    def samples(self, video: int) -> Iterator[SampleRow]:
        """Its settled samples, by time; read in pieces."""
        after = -1
        while True:
            found = self._db.execute(
                f"SELECT {SAMPLE_COLUMNS} FROM items WHERE video = ? AND frame > ? "  # noqa: S608
                "AND state IN ('ok', 'failed') ORDER BY frame LIMIT ?",
                (video, after, PIECE),
            ).fetchall()
            if not found:
                return
            after = found[-1][1]
            for row in found:
                yield _sample(row)

    def sample(self, video: int, frame: int) -> SampleRow | None:
        """A settled sample by its frame."""
        row = self._db.execute(
            f"SELECT {SAMPLE_COLUMNS} FROM items WHERE video = ? AND frame = ? AND state IN ('ok', 'failed')",  # noqa: S608
            (video, frame),
        ).fetchone()
        return None if row is None else _sample(row)

    def settled(self, number: int) -> SampleRow | None:
        """A settled sample by its own number."""
        row = self._db.execute(
            f"SELECT {SAMPLE_COLUMNS} FROM items WHERE number = ? AND video IS NOT NULL AND state IN ('ok', 'failed')",  # noqa: S608
            (number,),
        ).fetchone()
        return None if row is None else _sample(row)

    def held(self, video: int) -> Iterator[HeldResult]:
        """Whose results hold when, by time; read in pieces."""
        after = 0
        while True:
            found = self._db.execute(
                "SELECT number, frame, started, ended FROM held WHERE video = ? AND number > ? ORDER BY number LIMIT ?",
                (video, after, PIECE),
            ).fetchall()
            if not found:
                return
            after = found[-1][0]
            for _, frame, started, ended in found:
                yield HeldResult(frame, started, ended)


def _sample(row: Sequence[object]) -> SampleRow:
    number, frame, at, width, height, ok, *rest = row
    return SampleRow(number, frame, at, width, height, bool(ok), *rest)  # type: ignore[arg-type]
