"""How far a tool is, on standard error, once it has taken two seconds."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.display import LINE_SECONDS, QUIET_SECONDS, Display

TICK_SECONDS = 0.5


class Progress:
    """`done` of `total`; set both as they become known. `total` None: not known."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.label}: {self.done:,}{of}"


@asynccontextmanager
async def progress(label: str, total: int | None = None) -> AsyncIterator[Progress]:
    """Show the progress while the block runs, also when nothing moves."""
    shown = Progress(label, total)
    display = Display(sys.stderr)
    begun = time.monotonic()

    async def tick() -> None:
        next_line = QUIET_SECONDS
        while True:
            await asyncio.sleep(TICK_SECONDS)
            elapsed = time.monotonic() - begun
            if elapsed < next_line:
                continue
            if display.terminal:
                display.update(f"  {shown} … {elapsed:.0f} s")
            else:
                display.say(f"  {shown} … {elapsed:.0f} s")
                next_line = elapsed + LINE_SECONDS

    ticking = asyncio.create_task(tick())
    try:
        yield shown
    finally:
        ticking.cancel()
        if display.terminal and time.monotonic() - begun > QUIET_SECONDS:
            display.say(f"  {shown}")  # in place of the line that was updated
