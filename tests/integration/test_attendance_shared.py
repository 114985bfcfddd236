"""Two gateways and one real Redis count together: right within two per cent, and at no cost when Redis is away."""

import asyncio
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import generate_latest
from pydantic import SecretStr

from gateway.attendance.headcount import Headcount
from gateway.attendance.identities import EPOCH_MINUTES, Visitor
from gateway.attendance.register import FLUSH_SECONDS, AttendanceRegister
from gateway.attendance.shared import PREFIX, SharedCounts
from gateway.attendance_figures import Device, WindowMinutes
from tests.helpers.certificates import make_certificates
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.redis import PrivateRedis, Tls, private_redis

NOON = (20_000 * EPOCH_MINUTES + 720) * 60.0
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1",
    "curl/7.88.1",
)


class Observed:
    def __init__(self) -> None:
        self.losses: dict[str, int] = {}

    def lost(self, reason: str, count: int) -> None:
        self.losses[reason] = self.losses.get(reason, 0) + count

    def stayed(self, device: Device, seconds: float) -> None: ...


class Counting:
    """A register without a gateway, whose clock a test moves."""

    def __init__(self, url: str) -> None:
        self.wall = NOON
        self.observed = Observed()
        self.register = AttendanceRegister(
            WindowMinutes(), self.observed, SharedCounts(url, WindowMinutes()), clock=lambda: self.wall
        )

    def sessions(self) -> dict[str, int]:
        """Of each window, from a fresh look."""
        attendance = Headcount(self.register, clock=lambda: self.wall).now()
        assert attendance.shared, attendance.trouble
        return {window: counts["sessions"]["all"] for window, counts in attendance.counts.items()}


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[tuple[Counting, Counting]]:
    first, second = Counting(url), Counting(url)
    yield first, second
    for each in (first, second):
        assert each.register.shared is not None
        await each.register.shared.close()


async def test_a_known_population_at_two_gateways_is_right_in_all_three_windows(redis_url: str) -> None:
    draw = random.Random(21)
    async with counting(redis_url) as (first, second):
        seen: list[set[int]] = []
        for minute in range(35):
            here = {draw.randrange(40_000) for _ in range(2_000)}
            seen.append(here)
            first.wall = second.wall = NOON + 60 * minute
            for number in here:  # most are seen by one gateway, some by both
                visitor = Visitor("main", f"10.0.0.{number}", AGENTS[number % 3])
                (first, second)[number % 2].register.see(visitor)
                if number % 10 == 0:
                    (first, second)[1 - number % 2].register.see(visitor)
            await first.register.flush()
            await second.register.flush()
        exact = {
            window: len(set().union(*seen[-minutes - 1 :]))
            for window, minutes in WindowMinutes()._asdict().items()
        }
        assert exact["peak"] < exact["session"] < exact["limit"]
        for each in (first, second):
            counted = await asyncio.to_thread(each.sessions)
            for window, count in exact.items():
                assert abs(counted[window] / count - 1) < 0.02, (window, counted, exact)
        assert not first.observed.losses


async def test_midnight_counts_nobody_twice_in_redis_either(redis_url: str) -> None:
    async with counting(redis_url) as (first, second):
        midnight = 20_001 * EPOCH_MINUTES * 60.0
        for minute in range(-5, 6):
            first.wall = second.wall = midnight + 60 * minute
            for number in range(200):
                (first, second)[number % 2].register.see(Visitor("main", str(number), ""))
            await first.register.flush()
            await second.register.flush()
            counted = await asyncio.to_thread(second.sessions)
            assert abs(counted["limit"] - 200) <= 4


async def test_all_keys_go_by_themselves_and_name_nobody(redis_url: str, shared_redis: PrivateRedis) -> None:
    async with counting(redis_url) as (first, _):
        first.register.see(Visitor("main", "192.0.2.77", "a very special agent"))
        await first.register.flush()
    with shared_redis.client() as client:
        keys = list(client.scan_iter())
        assert keys
        kept = [*keys, *(client.get(key) or b"" for key in keys)]
        assert all(0 < int(client.ttl(key)) <= (EPOCH_MINUTES + 60) * 60 for key in keys)
    for personal in (b"192.0.2.77", b"special", b"main"):
        assert not any(personal in bytes(each) for each in kept)


async def test_what_redis_misses_is_added_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    with private_redis() as server:
        async with counting(server.url) as (first, second):
            for number in range(100):
                first.register.see(Visitor("main", str(number), ""))
            await first.register.flush()
            server.kill()  # and with it all that it had
            for number in range(100, 300):
                second.register.see(Visitor("main", str(number), ""))
            begun = time.monotonic()
            await second.register.flush()
            assert time.monotonic() - begun < 4
            assert "cannot be reached" in second.register.trouble
            alone = Headcount(second.register, clock=lambda: second.wall).now()
            assert alone.shared is False
            assert alone.counts["peak"]["sessions"]["all"] == pytest.approx(200, rel=0.02), (
                "its own, meanwhile"
            )
            server.start()
            await second.register.flush()
            assert not second.register.trouble
            counted = await asyncio.to_thread(second.sessions)
            assert counted["peak"] == pytest.approx(200, rel=0.02)
            assert not second.observed.losses


async def test_redis_that_stops_in_the_middle_of_a_flush_loses_nothing() -> None:
    with private_redis() as server:
        async with counting(server.url) as (first, _):
            await first.register.flush()  # there is a connection
            assert isinstance(first.register.shared, SharedCounts)
            for number in range(5_000):
                first.register.see(Visitor("main", str(number), ""))
            writes = first.register.shared._writes.connection_pool
            server.freeze()
            flush = asyncio.create_task(first.register.flush())
            await aeventually("the flush waits for Redis", lambda: writes._in_use_connections)
            server.kill()
            await flush
            assert first.register.trouble
            server.start()
            await first.register.flush()
            counted = await asyncio.to_thread(first.sessions)
            assert counted["peak"] == pytest.approx(5_000, rel=0.02)


async def test_what_there_is_no_room_for_is_lost_and_counted() -> None:
    with private_redis() as server:
        async with counting(server.url) as (first, _):
            server.kill()
            for minute in range(3):
                first.wall = NOON + 60 * minute
                for number in range(4_000):
                    first.register.see(Visitor("main", str(number), ""))
                await first.register.flush()
            assert first.observed.losses == {"redis": 2_000}


async def test_a_key_of_the_wrong_type_is_told_and_costs_one_key(
    redis_url: str, shared_redis: PrivateRedis
) -> None:
    async with counting(redis_url) as (first, _):
        minute = int(NOON) // 60
        with shared_redis.client() as client:
            for part in (0, 1):
                client.set(f"{PREFIX}:20000:{minute}:sessions:other:{part}", "somebody else's")
        first.register.see(Visitor("", "x", ""))
        await first.register.flush()
        assert "database of our own" in first.register.trouble
        assert Headcount(first.register, clock=lambda: NOON).now().counts["peak"]["sessions"]["all"] == 1


# --- real gateways ---------------------------------------------------------------------------------------------------


async def ask(http: aiohttp.ClientSession, port: int, path: str, **headers: str) -> tuple[int, Any]:
    async with http.get(f"http://127.0.0.1:{port}{path}", headers={**BEARER, **headers}) as answer:
        return answer.status, await answer.json()


async def test_two_gateways_report_the_same_population(tmp_path: Path, redis_url: str) -> None:
    trusting: dict[str, Any] = {"redis_url": SecretStr(redis_url), "trusted_proxies": "127.0.0.1"}
    async with (
        running_gateway(tmp_path / "a", **trusting) as first,
        running_gateway(tmp_path / "b", **trusting) as second,
        aiohttp.ClientSession() as http,
    ):
        for number in range(300):
            gateway = (first, second)[number % 2]
            address = f"198.51.{number // 100}.{number % 100}"
            status, _ = await ask(
                http,
                gateway.port,
                "/api/session",
                **{"X-Forwarded-For": address, "User-Agent": AGENTS[number % 3]},
            )
            assert status == 200
        async with http.ws_connect(
            f"http://127.0.0.1:{first.port}/ws/results",
            headers={**BEARER, "X-Forwarded-For": "198.51.100.7"},
        ):
            pings = f"http://127.0.0.1:{second.port}/api/presence"
            for body in ({"id": "a"}, {"id": "b", "device": "ios"}, {"id": "a"}):
                async with http.post(pings, json=body, headers={**BEARER, "User-Agent": ""}) as answer:
                    assert answer.status == 204
            expected = 300 + 1 + 2

            async def counted(port: int) -> dict[str, Any]:
                _, view = await ask(http, port, "/api/attendance", **{"X-Forwarded-For": "198.51.0.0"})
                return dict(view)

            async with asyncio.timeout(30):
                while True:
                    views = [await counted(first.port), await counted(second.port)]
                    totals = [view["windows"][1]["sessions"]["all"] for view in views]
                    # Whoever asks for the counts is of an agent of its own.
                    told = [view["windows"][1]["sessions"]["ios"] for view in views]
                    if told == [1, 1] and all(abs(total / expected - 1) < 0.02 for total in totals):
                        break
                    await asyncio.sleep(0.5)
            assert all(view["shared"] is True for view in views)
            assert views[0]["windows"][1]["users"]["all"] == 1
        text = (await asyncio.to_thread(generate_latest, first.metrics.registry)).decode()
        assert 'gateway_concurrent_sessions{device="all",window="limit"}' in text
        assert "framefleet_attendance_shared 1.0" in text
        assert 'framefleet_attendance_lost_total{reason="redis"} 0.0' in text


async def test_a_forged_address_from_a_stranger_makes_no_session(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway, aiohttp.ClientSession() as http:
        for number in range(10):
            await ask(http, gateway.port, "/api/session", **{"X-Forwarded-For": f"203.0.113.{number}"})
        flushed = time.time() + 2 * FLUSH_SECONDS
        view: Any = {"time": 0.0}
        while view["time"] <= flushed:  # a look is kept for some seconds
            await asyncio.sleep(0.2)
            _, view = await ask(http, gateway.port, "/api/attendance")
        assert view["windows"][0]["sessions"]["all"] == 1
        assert view["shared"] is None


async def test_bad_pings_are_answered_with_what_would_do(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{gateway.port}/api/presence"
        odd = (
            b"",
            b"[]",
            b'{"id": 7}',
            b'{"id": ""}',
            b'{"id": "x", "device": "toaster"}',
            b"\xff",
            b"[" * 9_000,
        )
        for body in odd:
            async with http.post(url, data=body, headers=BEARER) as answer:
                assert answer.status == 400, body
                assert "1 to 128 characters" in (await answer.json())["error"]
        async with http.post(url, json={"id": "x" * 129}, headers=BEARER) as answer:
            assert answer.status == 400
        async with http.post(url, json={"id": "x"}) as answer:
            assert answer.status == 401
        statuses = []
        for _ in range(600):
            async with http.post(url, json={"id": "x"}, headers=BEARER) as answer:
                statuses.append(answer.status)
                if answer.status == 429:
                    assert int(answer.headers["Retry-After"]) >= 1
                    break
        assert statuses[-1] in (204, 429)
        assert statuses.count(204) >= 490


async def answer_seconds(http: aiohttp.ClientSession, port: int) -> list[float]:
    """How long each answer takes, for four seconds: longer than a flush that waits for Redis."""
    seconds: list[float] = []
    end = time.monotonic() + 4
    while (begun := time.monotonic()) < end:
        status, _ = await ask(http, port, "/api/session")
        assert status == 200
        seconds.append(time.monotonic() - begun)
        await asyncio.sleep(0.01)
    return seconds


@pytest.mark.alone
async def test_requests_do_not_wait_for_a_frozen_redis(tmp_path: Path) -> None:
    with private_redis() as server:
        async with (
            running_gateway(tmp_path, redis_url=SecretStr(server.url)) as gateway,
            aiohttp.ClientSession() as http,
        ):
            await ask(http, gateway.port, "/api/session")
            usual = await answer_seconds(http, gateway.port)
            with server.frozen():
                frozen = await answer_seconds(http, gateway.port)
                assert statistics.median(frozen) < 2 * statistics.median(usual) + 0.01
                assert sum(each > 0.4 for each in frozen) <= 2 + sum(each > 0.4 for each in usual)
                _, view = await ask(http, gateway.port, "/api/attendance")
                assert view["shared"] is False
                assert "does not answer in time" in view["trouble"]
                assert view["windows"][0]["sessions"]["all"] == 1
            async with asyncio.timeout(15):
                while True:
                    _, view = await ask(http, gateway.port, "/api/attendance")
                    if view["shared"]:
                        break
                    await asyncio.sleep(0.3)


async def test_a_redis_with_a_password_and_tls(tmp_path: Path) -> None:
    authority = make_certificates(tmp_path).authority
    tls = Tls(tmp_path / "good.pem", tmp_path / "good.key", authority)
    with private_redis(tls=tls, password="hunter2") as server:
        async with (
            running_gateway(tmp_path / "a", redis_url=SecretStr(server.url)) as gateway,
            aiohttp.ClientSession() as http,
        ):
            await aeventually("shared", lambda: not gateway.shared.notes())
            async with asyncio.timeout(15):
                while True:
                    _, view = await ask(http, gateway.port, "/api/attendance")
                    if view["shared"] and view["windows"][0]["sessions"]["all"] == 1:
                        break
                    await asyncio.sleep(0.3)


async def test_a_clean_stop_counts_what_is_left(
    tmp_path: Path, redis_url: str, shared_redis: PrivateRedis
) -> None:
    async with (
        running_gateway(tmp_path, redis_url=SecretStr(redis_url)) as gateway,
        aiohttp.ClientSession() as http,
    ):
        await aeventually("shared", lambda: not gateway.shared.notes())
        await ask(http, gateway.port, "/api/session", **{"User-Agent": AGENTS[0]})
    counted: Counter[bytes] = Counter()
    with shared_redis.client() as client:
        for key in client.scan_iter(f"{PREFIX}:*:sessions:web_pc:*"):
            day = key.removeprefix(f"{PREFIX}:".encode()).partition(b":")[0]
            counted[day] += int(client.pfcount(key))
    assert set(counted.values()) == {1}  # in the last half hour before midnight for the next day, too
