"""The books: what calls have cost, by day and month. Money is booked before a call, and settled after it.

A worker that is killed between the two leaves its booking behind, and that counts as spent until its period ends: money
is never spent unseen. Amounts are whole billionths of a dollar, so that the sums are exact.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from worker.remote.shared_file import FAILURES, SharedFile

FILE = "books.sqlite"


@dataclass(frozen=True)
class Totals:
    """The sums of one period. `spent` is certain; see contract.remote.SpentReport."""

    spent: int = 0
    uncertain: int = 0
    reserved: int = 0
    calls: int = 0
    frames: int = 0

    @property
    def booked(self) -> int:
        """All that counts against the budget."""
        return self.spent + self.uncertain + self.reserved


COLUMNS = tuple(each.name for each in fields(Totals))
_SUMS = ", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in COLUMNS)
TABLES = (
    f"CREATE TABLE IF NOT EXISTS periods (name TEXT PRIMARY KEY, {_SUMS}) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY)",
)


@dataclass(frozen=True)
class Period:
    """A day or a month by its name, and what may be booked in it; None: as much as you like."""

    name: str
    limit: int | None


@dataclass(frozen=True)
class Booking:
    """An amount that is reserved for a call, in these periods. `name` tells it from all others, where needed."""

    periods: tuple[str, ...]
    amount: int
    name: str = ""


class Books(Protocol):
    """Shared by all workers of a lane. `failures` is what they raise where the place that they are kept in is gone."""

    failures: tuple[type[Exception], ...]

    async def reserve(self, periods: Sequence[Period], amount: int) -> Booking | None:
        """Book an amount in all periods; None, and nothing is booked, where one of them has not so much left."""

    async def settle(self, booking: Booking, *, spent: int, uncertain: int, frames: int) -> None:
        """Put what a call has cost, certainly and perhaps, in the place of its booking."""

    async def totals(self, names: Sequence[str]) -> list[Totals]:
        """The sums of these periods."""

    async def identity(self) -> str:
        """A name for the place that they are kept in: who tells another one keeps other books."""

    async def close(self) -> None:
        """Let go of the place where they are kept."""


class FileBooks:
    """Books in a file, for all workers of one machine that share the folder. What is done is on the disk."""

    failures = FAILURES

    def __init__(self, folder: Path) -> None:
        self._file = SharedFile(folder / FILE, TABLES, "FULL")  # what a power cut took back was money unseen

    async def reserve(self, periods: Sequence[Period], amount: int) -> Booking | None:
        return await self._file.run(lambda connection: _reserve(connection, periods, amount))

    async def settle(self, booking: Booking, *, spent: int, uncertain: int, frames: int) -> None:
        values = (spent, uncertain, booking.amount, frames)
        await self._file.run(lambda connection: _settle(connection, booking.periods, values))

    async def totals(self, names: Sequence[str]) -> list[Totals]:
        return await self._file.run(lambda connection: [_totals(connection, name) for name in names])

    async def identity(self) -> str:
        return await self._file.run(_identity)

    async def close(self) -> None:
        await self._file.close()


def _identity(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT name FROM identity").fetchone()
    if row is None:
        row = (uuid4().hex[:12],)
        connection.execute("INSERT INTO identity VALUES (?)", row)
    return f"file:{row[0]}"


def _totals(connection: sqlite3.Connection, name: str) -> Totals:
    query = "SELECT spent, uncertain, reserved, calls, frames FROM periods WHERE name = ?"
    row = connection.execute(query, (name,)).fetchone()
    return Totals() if row is None else Totals(*row)


def _reserve(connection: sqlite3.Connection, periods: Sequence[Period], amount: int) -> Booking | None:
    for period in periods:
        if period.limit is not None and _totals(connection, period.name).booked + amount > period.limit:
            return None
    for period in periods:
        connection.execute("INSERT OR IGNORE INTO periods (name) VALUES (?)", (period.name,))
        connection.execute(
            "UPDATE periods SET reserved = reserved + ?, calls = calls + 1 WHERE name = ?",
            (amount, period.name),
        )
    return Booking(tuple(period.name for period in periods), amount)


def _settle(connection: sqlite3.Connection, names: Sequence[str], values: tuple[int, int, int, int]) -> None:
    for name in names:
        connection.execute(
            "UPDATE periods SET spent = spent + ?, uncertain = uncertain + ?, reserved = reserved - ?, "
            "frames = frames + ? WHERE name = ?",
            (*values, name),
        )
