"""The remote lane's limits: the window, the breaker, the concurrency, the waits."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.remote.backoff import LONGEST_SECONDS, backoff, retry_after
from worker.remote.breaker import FAILURES, FIRST_SECONDS, Breaker
from worker.remote.concurrency import Concurrency
from worker.remote.rate import MARGIN, LocalRate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def most_within(times: list[float], window: float) -> int:
    return max(sum(start <= each < start + window for each in times) for start in times)


@given(
    st.integers(1, 20), st.lists(st.floats(0, 5), min_size=1, max_size=80), st.randoms(use_true_random=False)
)
def test_no_window_ever_holds_more_calls_than_the_limit_wherever_it_begins(
    limit: int, gaps: list[float], chance: random.Random
) -> None:
    clock = Clock()
    rate = LocalRate(limit, None, window=10.0, clock=clock)
    arrivals = []

    async def calls() -> None:
        for gap in gaps:
            clock.now += gap
            while (wait := await rate.take(1)) > 0:
                clock.now += wait
            arrivals.append(clock.now + chance.random() * MARGIN * 0.999)  # they take their time on the way

    asyncio.run(calls())
    assert most_within(arrivals, 10.0) <= limit


async def test_the_window_gives_nearly_all_that_it_may() -> None:
    clock = Clock()
    rate = LocalRate(500, None, clock=clock)
    taken = 0
    while clock.now < 1000 + 600:
        wait = await rate.take(1)
        taken += wait == 0
        clock.now += max(wait, 0.001)
    assert taken >= 0.95 * 500 * 10


async def test_tokens_are_limited_likewise_and_a_call_larger_than_the_limit_passes_alone() -> None:
    clock = Clock()
    rate = LocalRate(1_000, 1_000, clock=clock)
    assert await rate.take(600) == 0
    clock.now += 10
    assert await rate.take(600) == pytest.approx(51)
    assert await rate.take(400) == 0
    assert await rate.take(9_999) == pytest.approx(61)
    clock.now += 61
    assert await rate.take(9_999) == 0


async def test_what_the_endpoint_forbids_holds_for_all_calls() -> None:
    clock = Clock()
    rate = LocalRate(10, None, clock=clock)
    await rate.forbid(30)
    await rate.forbid(5)
    assert await rate.take(1) == pytest.approx(30)
    clock.now += 30
    assert await rate.take(1) == 0


def test_the_breaker_opens_after_failures_in_a_row_and_one_call_tries() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert breaker.admits()
    breaker.failed()
    assert not breaker.admits()
    assert breaker.wait == FIRST_SECONDS
    clock.now += FIRST_SECONDS
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.failed()
    assert breaker.wait == 2 * FIRST_SECONDS
    clock.now += 2 * FIRST_SECONDS
    assert breaker.admits()
    breaker.left()
    assert breaker.admits()
    breaker.succeeded()
    assert [breaker.admits(), breaker.admits(), breaker.open] == [True, True, False]


async def test_fewer_calls_at_once_after_a_429_and_more_again_after_answers() -> None:
    slots = Concurrency(8)
    tickets = [await slots.take() for _ in range(8)]
    for ticket in tickets:
        slots.throttled(ticket)  # all were under way together: one reason, one cut
        slots.give_back()
    assert slots.limit == 4
    slots.throttled(await slots.take())
    assert slots.limit == 2
    slots.give_back()
    for _ in range(200):
        await slots.take()
        slots.give_back()
        slots.succeeded()
    assert slots.limit == 8


async def test_a_slot_is_waited_for() -> None:
    slots = Concurrency(1)
    await slots.take()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    slots.give_back()
    assert await waiting == 2


def test_backoff_doubles_from_one_second_to_thirty_with_chance() -> None:
    assert [backoff(n, lambda: 1.0) for n in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert [backoff(n, lambda: 0.0) for n in range(3)] == [1, 1, 2]
    assert backoff(10**6) <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("999999999", 3_600.0),
        ("nan", None),
        ("-3", None),
        ("soon", None),
        (None, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, lambda: 1_000.0) == seconds
