"""The remote lane's limits: the window, the breaker, the concurrency, the waits."""

import asyncio
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.redis import FAILURES as REDIS_FAILURES
from runtime.redis import asynchronous
from tests.helpers.redis import private_redis
from worker.remote.backoff import LONGEST_SECONDS, backoff, retry_after
from worker.remote.breaker import FAILURES, FIRST_SECONDS, Breaker
from worker.remote.concurrency import Concurrency
from worker.remote.file_rate import FileRate
from worker.remote.rate import MARGIN, RedisRate


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
    arrivals = []

    async def calls(folder: str) -> None:
        # Two workers of one machine, one call each in turn.
        rates = [FileRate(Path(folder), "e", limit, None, window=10.0, clock=clock) for _ in range(2)]
        for number, gap in enumerate(gaps):
            rate = rates[number % 2]
            clock.now += gap
            while (wait := await rate.take(1)) > 0:
                clock.now += wait
            arrivals.append(clock.now + chance.random() * MARGIN * 0.999)  # they take their time on the way
        for rate in rates:
            await rate.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(calls(folder))
    assert most_within(arrivals, 10.0) <= limit


async def test_the_window_gives_nearly_all_that_it_may(tmp_path: Path) -> None:
    clock = Clock()
    rate = FileRate(tmp_path, "e", 50, None, clock=clock)
    taken = 0
    while clock.now < 1000 + 600:
        wait = await rate.take(1)
        taken += wait == 0
        clock.now += max(wait, 0.01)
    assert taken >= 0.95 * 50 * 10


async def test_tokens_are_limited_likewise_and_a_call_larger_than_the_limit_passes_alone(
    tmp_path: Path,
) -> None:
    clock = Clock()
    rate = FileRate(tmp_path, "e", 1_000, 1_000, clock=clock)
    assert await rate.take(600) == 0
    clock.now += 10
    assert await rate.take(600) == pytest.approx(51)
    assert await rate.take(400) == 0
    assert await rate.take(9_999) == pytest.approx(61)
    clock.now += 61
    assert await rate.take(9_999) == 0


async def test_what_the_endpoint_forbids_holds_for_all_calls(tmp_path: Path) -> None:
    clock = Clock()
    rate = FileRate(tmp_path, "e", 10, None, clock=clock)
    await rate.forbid(30)
    await rate.forbid(5)
    assert await rate.take(1) == pytest.approx(30)
    other = FileRate(tmp_path, "e", 10, None, clock=clock)
    assert await other.take(1) == pytest.approx(30)
    assert await FileRate(tmp_path, "another", 10, None, clock=clock).take(1) == 0
    clock.now += 30
    assert await rate.take(1) == 0


async def test_what_was_counted_before_the_machine_restarted_holds_nobody_up(tmp_path: Path) -> None:
    clock = Clock()
    before = FileRate(tmp_path, "e", 1, None, clock=clock)
    assert await before.take(1) == 0
    await before.forbid(1_000)
    clock.now = 5.0  # the monotonic clock begins anew
    assert await FileRate(tmp_path, "e", 1, None, clock=clock).take(1) == 0


async def test_a_redis_that_forgot_calls_lets_none_through_for_a_whole_window() -> None:
    with private_redis() as redis:
        client = asynchronous(redis.url)
        first, second = (RedisRate(client, "e", 5, None, worker=name, window=1.0) for name in ("a", "b"))
        assert [await rate.take(1) for rate in (first, second, first)] == [0, 0, 0]
        redis.kill()
        with pytest.raises(REDIS_FAILURES):
            await first.take(1)
        redis.start()
        assert 1.5 < await first.take(1) <= 2.0
        assert 1.5 < await second.take(1) <= 2.0
        assert 1.5 < await RedisRate(client, "e", 5, None, worker="c", window=1.0).take(1) <= 2.0
        await asyncio.sleep(2.05)
        assert [await first.take(1) for _ in range(5)] == [0] * 5
        assert await second.take(1) > 1
        await client.aclose()


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
