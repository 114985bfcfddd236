"""A gateway behind a proxy: who the client is, and whom it believes that."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
import websockets

from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

BEHIND_TLS = {
    "X-Forwarded-For": "203.0.113.5",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "fleet.example",
}
THIS_MACHINE = "127.0.0.0/8,::1"


async def login(gateway: Gateway, headers: dict[str, str], **body: str) -> tuple[int, str]:
    """The status, and the cookie that is set."""
    async with (
        aiohttp.ClientSession(gateway.address, cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.post("/api/login", json=body, headers=headers) as answer,
    ):
        return answer.status, answer.headers.get("Set-Cookie", "")


async def test_anybody_can_write_those_headers_and_nobody_believes_them(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        status, cookie = await login(gateway, BEHIND_TLS, token=TOKEN)
        assert status == 200
        assert cookie.startswith(f"{COOKIE}=")
        assert "Secure" not in cookie
        async with (
            aiohttp.ClientSession(gateway.address) as http,
            http.get("/livez", headers=BEHIND_TLS) as answer,
        ):
            assert "Strict-Transport-Security" not in answer.headers
        # Its Host is not what a forged header says, so a page of that host is foreign.
        foreign = {**BEHIND_TLS, "Origin": "https://fleet.example"}
        assert (await login(gateway, foreign, token=TOKEN))[0] == 403
        for n in range(10):
            forged = {"X-Forwarded-For": f"203.0.113.{n}"}
            assert (await login(gateway, forged, token=f"guess-{n}"))[0] == 401
        assert (await login(gateway, {"X-Forwarded-For": "203.0.113.99"}, token=TOKEN))[0] == 429


async def test_a_trusted_proxy_tells_of_https_host_and_client(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, trusted_proxies=THIS_MACHINE) as gateway:
        own = {**BEHIND_TLS, "Origin": "https://fleet.example"}
        status, cookie = await login(gateway, own, token=TOKEN)
        assert status == 200
        assert cookie.startswith(f"{SECURE_COOKIE}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        # A page of the same name that came unprotected may have been written by anybody on the way.
        assert (await login(gateway, {**own, "Origin": "http://fleet.example"}, token=TOKEN))[0] == 403
        session = {"Cookie": cookie.partition(";")[0]}
        async with aiohttp.ClientSession(gateway.address) as http:
            async with http.get("/api/session", headers={**BEHIND_TLS, **session}) as answer:
                assert answer.status == 200
                assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
            async with http.post("/api/links", headers={**own, **session}) as answer:
                assert (await answer.json())["link"].startswith("https://fleet.example/?code=")
            async with http.post("/api/logout", headers={**own, **session}) as answer:
                gone = answer.headers["Set-Cookie"]
            assert gone.startswith(f'{SECURE_COOKIE}=""; ')
            assert "Secure" in gone
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        async with websockets.connect(url, additional_headers={**own, "Authorization": f"Bearer {TOKEN}"}):
            pass


async def test_behind_a_proxy_each_client_guesses_for_itself(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, trusted_proxies=THIS_MACHINE) as gateway:
        for n in range(10):
            # What the client itself wrote into the header stands before what the proxy adds.
            forged = {"X-Forwarded-For": f"10.9.9.{n}, 203.0.113.5"}
            assert (await login(gateway, forged, token=f"guess-{n}"))[0] == 401
        assert (await login(gateway, {"X-Forwarded-For": "203.0.113.5"}, token=TOKEN))[0] == 429
        assert (await login(gateway, {"X-Forwarded-For": "203.0.113.6"}, token=TOKEN))[0] == 200


async def test_each_client_behind_the_proxy_has_its_share_of_websockets(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, trusted_proxies=THIS_MACHINE, max_viewers_per_address=2) as gateway:
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"

        def headers(client: str) -> dict[str, str]:
            return {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": client}

        opened = [await websockets.connect(url, additional_headers=headers("203.0.113.5")) for _ in range(2)]
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(url, additional_headers=headers("203.0.113.5"))
        assert refusal.value.response.status_code == 429
        assert b"GATEWAY_MAX_VIEWERS_PER_ADDRESS" in (refusal.value.response.body or b"")
        async with websockets.connect(url, additional_headers=headers("203.0.113.6")):
            pass
        opened[0].transport.abort()
        await opened[1].close()
        async with asyncio.timeout(5):
            while True:
                try:
                    async with websockets.connect(url, additional_headers=headers("203.0.113.5")):
                        break
                except websockets.InvalidStatus:
                    continue


async def test_each_client_behind_the_proxy_has_its_share_of_requests(tmp_path: Path) -> None:
    async with running_gateway(
        tmp_path, trusted_proxies=THIS_MACHINE, max_connections_per_address=2
    ) as gateway:
        slow = (
            b"POST /api/links HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.5\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\nContent-Length: 10\r\n\r\n"
        )
        writers = []
        for _ in range(2):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(slow)
            writers.append(writer)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(gateway.address) as http:

            async def status(client: str) -> int:
                headers = {**bearer, "X-Forwarded-For": client}
                async with http.get("/api/session", headers=headers) as answer:
                    return answer.status

            async with asyncio.timeout(5):
                while await status("203.0.113.5") != 429:
                    pass
            assert await status("203.0.113.6") == 200
            async with http.get("/livez") as answer:  # the proxy's own probes
                assert answer.status == 200
            for writer in writers:
                writer.transport.abort()
            async with asyncio.timeout(5):
                while await status("203.0.113.5") != 200:
                    pass
