"""The one helper that waits: for an event, with a deadline and a reason."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02
FIRST_SECONDS, LONGEST_SECONDS, GROWTH = 0.01, 0.15, 1.2
"""Pauses between looks: short at first, and longer for what takes long. A look may cost both sides milliseconds."""


def eventually(what: str, check: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first truthy value of `check`; fails the test saying `what` did not happen in time."""
    for pause in _pauses(what, seconds):
        if value := check():
            return value
        time.sleep(pause)
    raise AssertionError  # never: the pauses end by raising


async def aeventually(what: str, check: Callable[[], T], seconds: float = 20.0) -> T:
    """`eventually` for a test that runs on an event loop."""
    for pause in _pauses(what, seconds):
        if value := check():
            return value
        await asyncio.sleep(pause)
    raise AssertionError  # never: the pauses end by raising


async def eventually_async(what: str, check: Callable[[], Awaitable[T]], seconds: float = 20.0) -> T:
    """`aeventually` for a check that itself waits for an answer."""
    for pause in _pauses(what, seconds):
        if value := await check():
            return value
        await asyncio.sleep(pause)
    raise AssertionError  # never: the pauses end by raising


def _pauses(what: str, seconds: float) -> Iterator[float]:
    """How long to wait between looks. Raises AssertionError when the time is over."""
    deadline, pause = time.monotonic() + seconds, FIRST_SECONDS
    while True:
        last = time.monotonic() >= deadline
        yield pause
        if last:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        pause = min(pause * GROWTH, LONGEST_SECONDS)
