"""SIGSTOP for a while: a process that is there, listens, and says nothing."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import psutil

SECONDS = float(os.environ.get("SILENCE_SECONDS", "0"))
"""How long something stays frozen at least. 0, in `make test`: until that is noticed. `make silences` takes 60."""


@contextmanager
def frozen(pid: int | None) -> Iterator[float]:
    """Freeze a process and all that it has started; they go on at the end. Gives the monotonic time."""
    whole = psutil.Process(pid)
    processes = [whole, *whole.children(recursive=True)]
    try:
        for process in processes:
            process.suspend()
        yield time.monotonic()
    finally:
        for process in reversed(processes):
            process.resume()


async def hold(begun: float) -> None:
    """Let the fault last as long as it shall: no wait for anything."""
    await asyncio.sleep(max(0.0, begun + SECONDS - time.monotonic()))


async def until(what: str, check: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """Wait for `check`; returns the seconds that it took. Fails the test if it takes longer than it may."""
    begun = time.monotonic()
    while not await check():
        assert time.monotonic() - begun < seconds, f"{what}: not within {seconds:.0f} s"
        await asyncio.sleep(0.1)
    return time.monotonic() - begun
