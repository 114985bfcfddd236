"""So many at once, so many waiting, no more."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.errors import TooManyQueries
from gateway.security.turnstile import Turnstile


async def test_so_many_pass_so_many_wait_and_the_rest_is_refused() -> None:
    gate = Turnstile(width=2, queue=1, patience=5)
    async with AsyncExitStack() as inside:
        await inside.enter_async_context(gate.passage())
        await inside.enter_async_context(gate.passage())

        async def third() -> str:
            async with gate.passage():
                return "passed"

        waiting = asyncio.create_task(third())
        await asyncio.sleep(0)
        assert gate.waiting == 1
        with pytest.raises(TooManyQueries):
            async with gate.passage():
                pass
    assert await waiting == "passed"
    assert gate.waiting == 0


async def test_nobody_waits_longer_than_patience() -> None:
    gate = Turnstile(width=1, queue=1, patience=0.01)
    async with gate.passage():
        with pytest.raises(TooManyQueries):
            async with gate.passage():
                pass
    async with gate.passage():
        assert gate.waiting == 0


async def test_a_place_is_given_back_whatever_happens() -> None:
    gate = Turnstile(width=1, queue=0, patience=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with gate.passage():
                raise RuntimeError
    async with gate.passage():
        gone = asyncio.create_task(gate.passage().__aenter__())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    async with gate.passage():
        pass


async def test_whoever_waits_for_a_rest_to_end_is_woken() -> None:
    """A rest may end at any moment, also between two looks at the clock."""
    gate = Turnstile(width=1, queue=10, patience=2, rest=1.0)
    loop = asyncio.get_running_loop()
    for number in range(2_000):
        loop.call_soon(gate.leave, await gate.enter(("main", "session")))
        for _ in range(number % 40):
            pass  # rests of other lengths
        await asyncio.sleep(0)
    assert gate.waiting == 0
