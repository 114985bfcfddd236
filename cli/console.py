"""Tables and progress: drawn by rich on a terminal; plain text elsewhere, of which nothing is cut off.

rich is imported where something is drawn: most of what the command prints needs none of it.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TextIO

from cli.display import LINE_SECONDS, QUIET_SECONDS, Display

GAP = 2
NARROWEST = 12
"""Characters of a table's last column that are shown however narrow the terminal is."""
REFRESH_SECONDS = 0.2


def is_plain(out: TextIO) -> bool:
    """Return whether `out` gets plain text: it is not a terminal, or one that cannot do more, or NO_COLOR is set."""
    return not out.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return a table for standard output, with a line for each of `rows`; the columns in `right` stand to the right.

    On a terminal that is too narrow the last column is cut.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in columns:
        last = column is columns[-1]
        drawn.add_column(column, justify="right" if column in right else "left", no_wrap=not last)
    for row in rows:
        drawn.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    widths = [max(map(cell_len, cells)) + GAP for cells in zip(columns, *rows, strict=True)]
    plain = is_plain(sys.stdout)
    console = Console(color_system=None, force_terminal=False) if plain else Console()
    console.width = sum(widths) if plain else max(console.width, sum(widths[:-1]) + NARROWEST)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


class StepCount:
    """`done` of `total` steps; set both as they become known. `total` None: not known."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.label}: {self.done:,}{of}"


@asynccontextmanager
async def progress(label: str, total: int | None = None) -> AsyncIterator[StepCount]:
    """Show on standard error how far the block is, once it has taken two seconds; also when nothing moves."""
    count = StepCount(label, total)
    showing = asyncio.create_task(_lines(count) if is_plain(sys.stderr) else _bar(count))
    try:
        yield count
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing


async def _lines(count: StepCount) -> None:
    begun, display = time.monotonic(), Display(sys.stderr)
    await asyncio.sleep(QUIET_SECONDS)
    while True:
        display.say(f"  {count} … {time.monotonic() - begun:.0f} s")
        await asyncio.sleep(LINE_SECONDS)


async def _bar(count: StepCount) -> None:
    await asyncio.sleep(QUIET_SECONDS)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(count.label, total=count.total)
        try:
            while True:
                bar.update(task, completed=count.done, total=count.total)
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            bar.update(task, completed=count.done, total=count.total)


Downloaded = Callable[[int, int | None], None]
"""Told how many bytes have come, and of how many if that is known."""


@contextmanager
def download(name: str) -> Iterator[Downloaded]:
    """Show on standard error how far a download is: a bar on a terminal, elsewhere a line now and then."""
    if is_plain(sys.stderr):
        yield DownloadLines(name, Display(sys.stderr))
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


class DownloadLines:
    """A line on a download every quarter of a minute; a quick one gets none."""

    def __init__(self, name: str, display: Display) -> None:
        self._name = name
        self._display = display
        self._next = time.monotonic() + LINE_SECONDS

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if done != total and now >= self._next:
            self._display.say(f"  {self._name}: {share(done, total)}")
            self._next = now + LINE_SECONDS


def share(done: int, total: int | None) -> str:
    """Return `62 %, 142 kB of 230 kB`; the bytes alone if `total` is not known."""
    if not total:
        return size(done)
    return f"{100 * min(1.0, done / total):.0f} %, {size(done)} of {size(total)}"


def size(count: int) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1_000:
            return f"{count} {unit}"
        count = round(count / 1_000)
    return f"{count} GB"
