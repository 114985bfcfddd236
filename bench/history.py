"""The history: rows per second into SQLite and PostgreSQL, and how long questions take when it is full.

    python -m bench.history [--rounds 5] [--millions 10] [--only writing|asking] [--quick] [--check]

Writing: results of a hundred cameras, a fifth with faces, in batches of 500 as the recorder writes them: results,
presence and minutes in one transaction, on disk at its end. Against it the plain design: a transaction per result, and
nothing but its row. The rows take turns; medians of rounds. Asking: pages of 50 events among so many millions.
PostgreSQL is a private one with its own defaults (fsync on) and 512 MB of shared buffers.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert, text

from bench.command import command
from bench.history_events import QUESTIONS, ask, fill
from bench.machine import facts
from bench.tables import table
from contract.result import DetectedObject, Result
from gateway.history.database import Database
from gateway.history.rows import row_of
from gateway.history.tables import results
from gateway.history.writer import HistoryWriter
from tests.helpers.postgres import private_postgres

BATCH = 500
CAMERAS = 100
WARM, ASKED = 20, 200
P95_MS = 50.0
FACE = DetectedObject(x=211, y=80, w=96, h=121, confidence=0.93, label="face", landmarks=[(235, 120)] * 5)


def made(count: int, round_: int) -> list[Result]:
    """New results of the present, five a second and camera; a camera sees somebody for ten seconds in fifty."""
    now = time.time()
    return [
        Result(
            timestamp=now + n / 500 + 0.1,
            original_timestamp=now + n / 500 - count / 500,
            node_id="node-1",
            detections=[FACE] if (n / 500 + 7 * (n % CAMERAS)) % 50 < 10 else [],
            camera_id=f"camera-{n % CAMERAS}",
            frame_id=f"camera-{n % CAMERAS}:{round_}:{n}:{now}",
            width=640,
            height=480,
            model="yunet@ebafce4e",
            status="ok",
            processing_seconds=0.004,
            queue_seconds=0.031,
        )
        for n in range(count)
    ]


def batches(database: Database, given: list[Result]) -> None:
    """As the recorder writes."""
    writer = HistoryWriter(database)
    for begin in range(0, len(given), BATCH):
        writer.store(given[begin : begin + BATCH], time.time())


def plain(database: Database, given: list[Result]) -> None:
    """One transaction per result."""
    for each in given:
        with database.writing() as connection:
            connection.execute(insert(results), row_of(each, time.time()))


def writing(databases: dict[str, Database], rounds: int, count: int) -> str:
    """Rows per second, as a table."""
    designs: dict[str, tuple[Callable[[Database, list[Result]], None], int]] = {
        "plain: a transaction per row": (plain, max(200, count // 40)),
        "recorder: batches of 500, with presence and minutes": (batches, count),
    }
    rates: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds):
        for name, database in databases.items():
            for design, (write, rows) in designs.items():
                given = made(rows, number)
                begun = time.perf_counter()
                write(database, given)
                rates.setdefault((name, design), []).append(rows / (time.perf_counter() - begun))
        say(f"round {number + 1} of {rounds}")
    lines = []
    for name in databases:
        first = statistics.median(rates[name, "plain: a transaction per row"])
        for design in designs:
            rate = statistics.median(rates[name, design])
            each = sorted(rates[name, design])
            lines.append(
                (name, design, f"{rate:,.0f}", f"{each[0]:,.0f}–{each[-1]:,.0f}", f"{rate / first:.1f}")
            )
    return table(("database", "design", "rows/s", "rounds", "ratio"), lines)


def asking(databases: dict[str, Database], count: int) -> tuple[str, list[str]]:
    """Milliseconds per page, as a table; and which questions missed the aim, as sentences."""
    measured: dict[str, dict[str, list[float]]] = {}
    for name, database in databases.items():
        begun = time.monotonic()
        fill(database, count, lambda what: say(f"{name}: {what}"))  # noqa: B023
        with database.writing() as connection:
            there = connection.scalar(text("SELECT count(*) FROM events"))
        say(f"{name}: {there:,} events after {time.monotonic() - begun:.0f} s")
        for question in QUESTIONS:
            chance = random.Random(1)
            took = []
            for _ in range(WARM + ASKED):
                begun = time.perf_counter()
                with database.reading(60) as connection:
                    ask(connection, question, chance)
                took.append(1000 * (time.perf_counter() - begun))
            measured.setdefault(question.name, {})[name] = took[WARM:]
    lines, missed = [], []
    for kind, by_database in measured.items():
        cells = [kind]
        for name, took in by_database.items():
            quantiles = statistics.quantiles(took, n=20)
            cells += [f"{quantiles[9]:.1f}", f"{quantiles[18]:.1f}", f"{max(took):.1f}"]
            if quantiles[18] >= P95_MS:
                missed.append(f"{name}, {kind}: p95 {quantiles[18]:.1f} ms instead of less than {P95_MS:g}")
        lines.append(cells)
    heads = [
        "a page of 50 events",
        *(f"{name} {what}" for name in databases for what in ("p50", "p95", "most")),
    ]
    return table(heads, lines), missed


@contextmanager
def fresh() -> Iterator[dict[str, Database]]:
    """An empty SQLite file and an empty PostgreSQL; gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="framefleet-bench-") as folder,
        private_postgres(shared_buffers="512MB", max_wal_size="4GB", maintenance_work_mem="512MB") as server,
    ):
        databases = {
            "SQLite": Database("", Path(folder) / "history.sqlite3"),
            "PostgreSQL": Database(server.url(), Path(folder)),
        }
        for database in databases.values():
            database.open()
        try:
            yield databases
        finally:
            for database in databases.values():
                database.close()


def say(what: str) -> None:
    """A line on standard error."""
    print(f"{what} …", file=sys.stderr, flush=True)


def main() -> int:
    parser = command(__doc__, footage=False)
    parser.add_argument("--rounds", type=int, default=5, help="of writing (default: 5)")
    parser.add_argument("--millions", type=float, default=10.0, help="of events to ask of (default: 10)")
    parser.add_argument("--only", choices=("writing", "asking"), help="one of the two")
    parser.add_argument("--check", action="store_true", help="exit 1 if a question's p95 is 50 ms or more")
    arguments = parser.parse_args()
    rounds, rows = (2, 5_000) if arguments.quick else (arguments.rounds, 20_000)
    millions = 0.2 if arguments.quick else arguments.millions
    print(f"{facts()}\n")
    if arguments.only != "asking":
        with fresh() as databases:
            print(f"{writing(databases, rounds, rows)}\n", flush=True)
    missed: list[str] = []
    if arguments.only != "writing":
        with fresh() as databases:
            print(f"Among {millions:g} million events, milliseconds:\n")
            answered, missed = asking(databases, int(millions * 1_000_000))
            print(answered)
    for sentence in missed:
        print(f"\nmissed: {sentence}")
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
