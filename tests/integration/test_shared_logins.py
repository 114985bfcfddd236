"""Two gateways and one real Redis: links, sign-outs and login limits hold at both, and what was ended stays ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.typing import Origin

from gateway.security.shared_logins import PREFIX
from gateway.service import Gateway
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.redis import PrivateRedis, private_redis

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def url(gateway: Gateway, path: str) -> str:
    return f"http://127.0.0.1:{gateway.port}{path}"


def shares(gateway: Gateway) -> bool:
    return not gateway.shared.notes()


async def status(method: str, gateway: Gateway, path: str, **request: Any) -> int:
    async with aiohttp.ClientSession() as http, http.request(method, url(gateway, path), **request) as answer:
        return answer.status


async def sign_in(gateway: Gateway, **how: str) -> dict[str, str]:
    """The headers of a browser that has signed in."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(url(gateway, "/api/login"), json=how or {"token": TOKEN}) as answer,
    ):
        assert answer.status == 200
        return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())}


async def sign_out(gateway: Gateway, session: dict[str, str]) -> None:
    own = {**session, "Origin": url(gateway, "")}
    assert await status("POST", gateway, "/api/logout", headers=own) == 200


async def ends(gateway: Gateway, session: dict[str, str], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await status("GET", gateway, "/api/session", headers=session) == 401:
                return
            await asyncio.sleep(0.1)


def code_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["code"][0]


@asynccontextmanager
async def two(folder: Path, redis_url: str) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways that share nothing but their token and a Redis."""
    secret = SecretStr(redis_url)
    async with (
        running_gateway(folder / "a", redis_url=secret) as first,
        running_gateway(folder / "b", redis_url=secret) as second,
    ):
        await aeventually("both share", lambda: shares(first) and shares(second))
        yield first, second


async def test_signing_out_at_one_ends_the_session_and_its_sockets_at_the_other(
    tmp_path: Path, redis_url: str
) -> None:
    async with two(tmp_path, redis_url) as (first, second):
        session, other = await sign_in(first), await sign_in(second)
        origin = Origin(url(second, ""))
        async with (
            connect(
                f"ws://127.0.0.1:{second.port}/ws/results", additional_headers=session, origin=origin
            ) as socket,
            connect(
                f"ws://127.0.0.1:{second.port}/ws/results", additional_headers=other, origin=origin
            ) as stays,
        ):
            await sign_out(first, session)
            async with asyncio.timeout(20):
                await socket.wait_closed()
            assert socket.close_code == 4401
            assert await status("GET", second, "/api/session", headers=session) == 401
            assert await status("GET", first, "/api/session", headers=other) == 200
            await stays.ping()


async def test_a_link_signs_in_once_at_either(tmp_path: Path, redis_url: str) -> None:
    async with two(tmp_path, redis_url) as (first, second):
        async with (
            aiohttp.ClientSession() as http,
            http.post(url(first, "/api/links"), headers=BEARER) as made,
        ):
            code = code_of((await made.json())["link"])
        tries = await asyncio.gather(
            *(status("POST", each, "/api/login", json={"code": code}) for each in (first, second) * 4)
        )
        assert sorted(tries)[:2] == [200, 401]
        assert tries.count(200) == 1


async def test_wrong_guesses_at_one_count_at_the_other(tmp_path: Path, redis_url: str) -> None:
    async with two(tmp_path, redis_url) as (first, second):
        guesses = ({"json": {"token": f"guess {number}"}} for number in range(10))
        answers = await asyncio.gather(*(status("POST", first, "/api/login", **each) for each in guesses))
        assert answers == [401] * 10
        async with asyncio.timeout(30):
            while True:
                if await status("POST", second, "/api/login", json={"token": "the guess after"}) == 429:
                    break
                await asyncio.sleep(0.5)
        # A guess at the other gateway's limit shuts out guesses, and the right token too: a person chose it.
        assert await status("POST", second, "/api/login", json={"token": TOKEN}) == 429


async def test_whoever_writes_to_redis_makes_no_link(
    tmp_path: Path, redis_url: str, shared_redis: PrivateRedis
) -> None:
    async with two(tmp_path, redis_url) as (first, second):
        code = code_of(first.link("viewer"))
        await aeventually("kept by Redis", lambda: bool(keys(shared_redis, ":code:*")))
        with shared_redis.client() as client:
            (name,) = client.scan_iter(f"{PREFIX}:code:*")
            value = bytes(client.get(name) or b"")
            client.set(name, value.replace(b"viewer", b"operator"))
        assert b"viewer" in value
        assert code.encode() not in value
        assert await status("POST", second, "/api/login", json={"code": code}) == 401
        assert await status("POST", first, "/api/login", json={"code": code}) == 401


async def test_signing_in_and_out_goes_on_without_redis_and_is_made_good(tmp_path: Path) -> None:
    with private_redis() as server:
        async with two(tmp_path, server.url) as (first, second):
            before, session = await sign_in(first), await sign_in(first)
            await sign_out(first, before)
            await ends(second, before)
            server.kill()  # with all that it had
            await aeventually("told", lambda: not shares(first) and not shares(second))
            assert "cannot be reached" in first.shared.notes()[0]
            await sign_in(second)
            await sign_in(first, code=code_of(first.link()))
            await sign_out(first, session)
            assert await status("GET", first, "/api/session", headers=session) == 401
            assert await status("GET", second, "/api/session", headers=session) == 200, "not heard yet"
            server.start()
            await ends(second, session)
            assert await status("GET", second, "/api/session", headers=before) == 401


async def test_a_session_that_was_ended_does_not_come_back_with_a_new_gateway(tmp_path: Path) -> None:
    with private_redis() as server:
        secret = SecretStr(server.url)
        async with running_gateway(tmp_path / "a", redis_url=secret) as first:
            await aeventually("shared", lambda: shares(first))
            session = await sign_in(first)
            await sign_out(first, session)
        server.kill()
        server.start()  # empty: only the first gateway's file knows
        async with (
            running_gateway(tmp_path / "a", redis_url=secret) as first,
            running_gateway(tmp_path / "new", redis_url=secret) as third,
        ):
            assert await status("GET", first, "/api/session", headers=session) == 401
            await ends(third, session)
        server.kill()
        async with running_gateway(tmp_path / "new", redis_url=secret) as third:
            assert await status("GET", third, "/api/session", headers=session) == 401, "kept in its own file"


@pytest.mark.parametrize("name", [":signed-out", ":guesses", ":generation"])
async def test_values_of_others_are_told_and_sign_nobody_out(
    tmp_path: Path, redis_url: str, shared_redis: PrivateRedis, name: str
) -> None:
    with shared_redis.client() as client:
        client.lpush(f"{PREFIX}{name}", "somebody else's")
    async with running_gateway(tmp_path, redis_url=SecretStr(redis_url)) as gateway:
        session = await sign_in(gateway)
        await aeventually("told", lambda: "database of our own" in " ".join(gateway.shared.notes()))
        assert await status("GET", gateway, "/api/session", headers=session) == 200


async def test_malformed_lines_are_left_out(
    tmp_path: Path, redis_url: str, shared_redis: PrivateRedis
) -> None:
    with shared_redis.client() as client:
        for fields in (
            {"line": b"\xff\x00"},
            {"line": "9 main *"},
            {"other": "x"},
            {"line": "1 2 3\n" * 1_000},
        ):
            client.xadd(f"{PREFIX}:signed-out", fields)
            client.xadd(f"{PREFIX}:guesses", fields)
    async with two(tmp_path, redis_url) as (first, second):
        session = await sign_in(first)
        await sign_out(first, session)
        await ends(second, session)


def keys(server: PrivateRedis, pattern: str) -> list[Any]:
    with server.client() as client:
        return list(client.scan_iter(f"{PREFIX}{pattern}"))
