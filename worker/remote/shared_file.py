"""An SQLite file that workers of one machine share: one transaction at a time, on a thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T")

BUSY_SECONDS = 5.0
FAILURES: tuple[type[Exception], ...] = (sqlite3.Error, OSError)
"""What a shared file raises where it cannot be read or written."""


class SharedFile:
    """Opened by its first `run`, with these `tables` (statements that make what is not there).

    `synchronous` is SQLite's word for what a power cut may take away: FULL is nothing, OFF is anything.
    """

    def __init__(self, path: Path, tables: Sequence[str], synchronous: Literal["FULL", "OFF"]) -> None:
        self._path = path
        self._tables = tables
        self._synchronous = synchronous
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None

    async def run(self, deed: Callable[[sqlite3.Connection], T]) -> T:
        """What `deed` makes of it, in a transaction in which nobody else writes. Raises FAILURES."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, deed)

    async def close(self) -> None:
        """Close the file, after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown(wait=False)

    def _do(self, deed: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = deed(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return done

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        for table in self._tables:
            connection.execute(table)
        return connection

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
