"""A running job on the operator's screen: a bar on a terminal, elsewhere a line for every hundred items."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol

from batch.progress import Progress
from cli import lock
from cli.console import is_plain
from cli.layout import Layout
from cli.subcommands import IMAGE
from contract.topology import Lane

EVERY_ITEMS = 100
EVERY_SECONDS = 15.0
"""Where nothing is settled, so often a line says that the job still waits, and for what."""


class Show(Protocol):
    """Shows a job."""

    def progress(self, progress: Progress) -> None:
        """Show how far it is."""

    def say(self, text: str) -> None:
        """Say something once."""


@contextlib.contextmanager
def showing(lane: Lane) -> Iterator[Show]:
    """Show a job on standard error for the length of the block."""
    if is_plain(sys.stderr):
        yield Lines(lane)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield Bar(bars, lane)


class Lines:
    """Plain lines."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._settled = -1
        self._next = 0
        self._said = time.monotonic()
        self._note: str | None = None

    def progress(self, progress: Progress) -> None:
        """Show a line when a hundred items more are settled, or there is something else to know."""
        now = time.monotonic()
        if self._settled < 0:
            self._settled, self._next = progress.settled, progress.settled + EVERY_ITEMS
        note = hint(progress.note, self._lane)
        news = note is not None and note != self._note
        if progress.settled >= self._next or news or now - self._said >= EVERY_SECONDS:
            self._next = progress.settled - progress.settled % EVERY_ITEMS + EVERY_ITEMS
            self._said = now
            self.say(
                f"{progress.settled:,} of {total(progress)}  {told(progress)}{f'  {note}' if note else ''}"
            )
        self._note = note

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)


class Bar:
    """A progress bar."""

    def __init__(self, bars: Any, lane: Lane) -> None:
        self._bars = bars
        self._lane = lane
        self._task = bars.add_task("", total=None, told="")
        self._note: str | None = None

    def progress(self, progress: Progress) -> None:
        """Move the bar; what the job waits for is said once."""
        self._bars.update(
            self._task,
            completed=progress.settled,
            total=progress.items if progress.listed else None,
            told=told(progress),
        )
        note = hint(progress.note, self._lane)
        if note is not None and note != self._note:
            self.say(note)
        self._note = note

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)


def total(progress: Progress) -> str:
    """How many items there are, as far as that is known."""
    return f"{progress.items:,}{'' if progress.listed else '+'}"


def told(progress: Progress) -> str:
    """Rate, time left, successes, failures, retries."""
    left = progress.seconds_left
    parts = [f"{progress.rate:.1f}/s"]
    if left is not None and progress.settled < progress.items:
        parts.append(f"{clock(left)} left")
    parts.append(f"{progress.ok:,} ok")
    if progress.known:
        parts.append(f"{progress.known:,} known")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.retries:
        parts.append(f"{progress.retries:,} retries")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def hint(note: str | None, lane: Lane) -> str | None:
    """What a job waits for, with the command that helps where there is one."""
    if note is None or not note.startswith("nobody works"):
        return note
    if lane is Lane.BATCH and not os.environ.get(IMAGE) and lock.holder(Layout().lock) is not None:
        return "the items wait for a worker: `make up` starts one, unless it runs with WORKERS_BATCH=0"
    return f"{note}: the items wait. {_start_one(lane)}"


def _start_one(lane: Lane) -> str:
    if os.environ.get(IMAGE):
        service = f"cv-worker-{lane}"
        return f"To start a worker: docker compose up -d --scale {service}=1"
    return f"To start a worker here: WORKER_LANE={lane} .venv/bin/python -m worker"
