"""The one helper that waits: for an event, with a deadline and a reason."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from cli.wait import wait_until

T = TypeVar("T")

POLL_SECONDS = 0.02


def eventually(what: str, check: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first truthy value of `check`; fails the test saying `what` did not happen in time."""
    value = wait_until(check, seconds, interval=POLL_SECONDS)
    assert value, f"{what}: not within {seconds:.0f} s"
    return value


async def aeventually(what: str, check: Callable[[], T], seconds: float = 20.0) -> T:
    """`eventually` for a test that runs on an event loop."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return value
