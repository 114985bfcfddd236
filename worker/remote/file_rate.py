"""The window of calls for all workers of one machine that share a folder, in a file beside the books.

It needs no patience of the disk: what a crash of the machine takes away was older than a minute when it runs again.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from worker.remote.rate import MARGIN, MINUTE
from worker.remote.shared_file import SharedFile

FILE = "calls.sqlite"
TABLES = (
    "CREATE TABLE IF NOT EXISTS calls (endpoint TEXT NOT NULL, at REAL NOT NULL, tokens INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS calls_at ON calls (endpoint, at)",
    "CREATE TABLE IF NOT EXISTS forbidden (endpoint TEXT PRIMARY KEY, since REAL NOT NULL, until REAL NOT NULL)",
)


class FileRate:
    """For all that give the same `folder` and `endpoint`, by the machine's monotonic clock, which they share too."""

    def __init__(
        self,
        folder: Path,
        endpoint: str,
        calls: int,
        tokens: int | None,
        *,
        window: float = MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = SharedFile(folder / FILE, TABLES, "OFF")
        self._endpoint = endpoint
        self._most_calls = calls
        self._most_tokens = tokens
        self._window = window + MARGIN
        self._clock = clock

    async def take(self, tokens: int) -> float:
        return await self._file.run(lambda connection: self._take(connection, tokens))

    async def forbid(self, seconds: float) -> None:
        await self._file.run(lambda connection: self._forbid(connection, seconds))

    async def close(self) -> None:
        await self._file.close()

    def _take(self, connection: sqlite3.Connection, tokens: int) -> float:
        now = self._clock()  # nobody else writes meanwhile: what is later than now is of before a restart
        connection.execute(
            "DELETE FROM calls WHERE endpoint = ? AND (at + ? <= ? OR at > ?)",
            (self._endpoint, self._window, now, now),
        )
        if (rest := self._forbidden(connection, now)) > 0:
            return rest
        count, used, first = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(tokens), 0), MIN(at) FROM calls WHERE endpoint = ?",
            (self._endpoint,),
        ).fetchone()
        if count >= self._most_calls:
            return float(first + self._window - now)
        if self._most_tokens is not None:
            tokens = min(tokens, self._most_tokens)
            if used + tokens > self._most_tokens:
                return self._until(connection, used + tokens - self._most_tokens, now) - now
        connection.execute("INSERT INTO calls VALUES (?, ?, ?)", (self._endpoint, now, tokens))
        return 0.0

    def _until(self, connection: sqlite3.Connection, excess: int, now: float) -> float:
        taken = connection.execute(
            "SELECT at, tokens FROM calls WHERE endpoint = ? ORDER BY at", (self._endpoint,)
        )
        for at, tokens in taken:
            excess -= tokens
            if excess <= 0:
                return float(at + self._window)
        return now + self._window

    def _forbidden(self, connection: sqlite3.Connection, now: float) -> float:
        row = connection.execute(
            "SELECT since, until FROM forbidden WHERE endpoint = ?", (self._endpoint,)
        ).fetchone()
        return float(row[1] - now) if row is not None and row[0] <= now else 0.0

    def _forbid(self, connection: sqlite3.Connection, seconds: float) -> float:
        now = self._clock()
        if seconds > self._forbidden(connection, now):
            connection.execute(
                "INSERT OR REPLACE INTO forbidden VALUES (?, ?, ?)", (self._endpoint, now, now + seconds)
            )
        return 0.0
