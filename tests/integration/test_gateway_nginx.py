"""A gateway behind a real nginx, configured as docs/security.md has it: on its own host, and below a path."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from cli.ports import free_port
from gateway.http.compression import LEAST
from gateway.http.cookies import COOKIE, SECURE_COOKIE_BELOW
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.nginx import nginx
from tests.helpers.processes import ROOT

pytestmark = pytest.mark.integration

BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEPT = ("location / {", "location /fleet/ {")
TAKEN_OFF = ("location / {", "location /fleet/ {"), ("GATEWAY;", "GATEWAY/;")


@asynccontextmanager
async def behind(folder: Path, path: str, *changes: tuple[str, str]) -> AsyncIterator[tuple[Gateway, str]]:
    """The gateway, and where it is seen through nginx."""
    port = free_port()
    seen = f"http://127.0.0.1:{port}{path}"
    settings: dict[str, Any] = {"trusted_proxies": "127.0.0.1", "public_url": seen if path else ""}
    dashboard = ROOT / "dashboard" / "dist"
    async with running_gateway(folder, dashboard_dir=dashboard, **settings) as gateway:
        port_of = str(gateway.port)
        filled = [(old.replace("GATEWAY", port_of), new.replace("GATEWAY", port_of)) for old, new in changes]
        with nginx(folder / "nginx", gateway.port, *filled, port=port):
            yield gateway, seen


async def test_the_documented_example_works_on_a_port_of_its_own(tmp_path: Path) -> None:
    async with behind(tmp_path, "") as (_, seen), aiohttp.ClientSession() as http:
        own = {"Origin": seen}
        async with http.post(f"{seen}/api/login", json={"token": TOKEN}, headers=own) as answer:
            assert answer.status == 200
        url = seen.replace("http", "ws", 1) + "/ws/results"
        async with websockets.connect(url, origin=websockets.Origin(seen), additional_headers=BEARER):
            pass


@pytest.mark.parametrize("changes", [(KEPT,), TAKEN_OFF], ids=["path kept", "path taken off"])
async def test_everything_is_below_the_path(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        behind(tmp_path, "/fleet", *changes) as (gateway, seen),
        aiohttp.ClientSession(cookie_jar=jar) as http,
    ):

        async def get(url: str, status: int = 200) -> str:
            async with http.get(url, allow_redirects=False) as answer:
                assert answer.status == status, url
                return answer.headers.get("Location", "") or await answer.text()

        assert await get(f"{seen}/", 303) == "/fleet/login"
        assert await get(f"{seen}/events?camera=a", 303) == "/fleet/login?next=/events%3Fcamera%3Da"
        login = await get(f"{seen}/login")
        assert '<meta name="base" content="/fleet/" />' in login
        for file in re.findall(r'(?:src|href)="([^"]*)"', login):
            assert file.startswith("/fleet/")
            async with http.get(gateway_host(seen) + file) as answer:
                assert answer.status == 200, file
                if file.endswith(".js") and "/assets/" in file and len(await answer.read()) >= LEAST:
                    assert answer.headers["Content-Encoding"] == "gzip"
                    assert answer.headers["Vary"] == "Accept-Encoding"

        own = {"Origin": gateway_host(seen)}
        form = {"token": TOKEN, "next": "/events"}
        async with http.post(f"{seen}/api/login", data=form, headers=own, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/fleet/events")
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert "; Path=/fleet;" in cookie
        assert '<meta name="base" content="/fleet/" />' in await get(f"{seen}/events")
        assert "/fleet/assets/" in await get(f"{seen}/models")
        assert json.loads(await get(f"{seen}/api/session"))["role"] == "operator"
        assert json.loads(await get(f"{seen}/api/openapi.json"))["servers"] == [{"url": "/fleet"}]

        async with http.post(f"{seen}/api/links", headers=own) as answer:
            link = (await answer.json())["link"]
        assert link.startswith(f"{seen}/?code=")
        assert 'action="/fleet/api/login"' in await get(link)
        session = {"Cookie": cookie.partition(";")[0]}
        url = seen.replace("http", "ws", 1) + "/ws/results"
        async with websockets.connect(
            url, origin=websockets.Origin(gateway_host(seen)), additional_headers=session
        ):
            pass
        async with http.post(f"{seen}/api/logout", headers=own) as answer:
            assert "Path=/fleet;" in answer.headers["Set-Cookie"]
        await get(f"{seen}/api/session", 401)
        # Past the proxy it is the same gateway.
        assert json.loads(await get(f"http://127.0.0.1:{gateway.port}/livez")) == {"status": "alive"}


async def test_over_https_the_cookie_is_of_the_path_and_secure(tmp_path: Path) -> None:
    over_tls = ("$scheme", "https")
    async with behind(tmp_path, "/fleet", KEPT, over_tls) as (_, seen), aiohttp.ClientSession() as http:
        async with http.post(f"{seen}/api/login", json={"token": TOKEN}) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{SECURE_COOKIE_BELOW}=")
        assert {"Secure", "HttpOnly", "Path=/fleet"} <= set(cookie.split("; "))
        async with http.get(f"{seen}/api/session", headers={"Cookie": cookie.partition(";")[0]}) as answer:
            assert answer.status == 200


SETS_THE_HOST = "        proxy_set_header X-Forwarded-Host $http_host;\n"


@pytest.mark.parametrize(
    ("path", "changes"),
    [("", ()), ("/fleet", (KEPT, (SETS_THE_HOST, "")))],
    ids=["as documented", "passed on, with a public URL"],
)
async def test_a_client_that_names_another_host_changes_nothing(
    tmp_path: Path, path: str, changes: tuple[tuple[str, str], ...]
) -> None:
    """nginx passes on every header that it is not told to set."""
    evil = {"X-Forwarded-Host": "evil.example"}
    async with behind(tmp_path, path, *changes) as (_, seen), aiohttp.ClientSession() as http:
        async with http.post(f"{seen}/api/links", headers={**BEARER, **evil}) as answer:
            assert (await answer.json())["link"].startswith(f"{seen}/?code=")
        for origin, status in ((gateway_host(seen), 200), ("http://evil.example", 403)):
            headers = {**evil, "Origin": origin}
            async with http.post(f"{seen}/api/login", json={"token": TOKEN}, headers=headers) as answer:
                assert answer.status == status, origin


async def test_a_websocket_that_lost_its_upgrade_is_told_so(tmp_path: Path) -> None:
    lost = ("        proxy_set_header Upgrade $http_upgrade;\n", "")
    closed = ("proxy_set_header Connection upgrade;", 'proxy_set_header Connection "";')
    async with behind(tmp_path, "", lost, closed) as (_, seen):
        url = seen.replace("http", "ws", 1) + "/ws/results?cameras=a"
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(url, additional_headers=BEARER)
        response = refusal.value.response
        assert response.status_code == 426
        assert response.headers["Upgrade"] == "websocket"
        assert (
            "a proxy between must use HTTP/1.1 and pass the headers Upgrade"
            in (response.body or b"").decode()
        )


def gateway_host(seen: str) -> str:
    return seen.removesuffix("/fleet")
