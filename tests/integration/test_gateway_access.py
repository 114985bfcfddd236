"""Nobody gets in who does not belong: every route with every kind of credential, over real HTTP."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from starlette.routing import BaseRoute

from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

OPEN = {"/livez", "/readyz", "/login", "/login.css", "/link.js", "/api/login", "/assets"}
WRONG = "wrong-token-of-somebody"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


REFUSED = {
    "nothing": {},
    "wrong bearer": {"Authorization": f"Bearer {WRONG}"},
    "wrong basic": {"Authorization": basic(WRONG)},
    "broken basic": {"Authorization": "Basic ***"},
    "unknown scheme": {"Authorization": f"Digest {TOKEN}"},
    "empty bearer": {"Authorization": "Bearer "},
    "the token as cookie": {"Cookie": f"framefleet_session={TOKEN}"},
    "a forged cookie": {"Cookie": "framefleet_session=1795220000.abc.0000"},
    "a broken cookie": {"Cookie": "framefleet_session="},
}


def routes_of(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """(method, path) of every route, included routers too; WS for WebSockets."""
    for route in routes:
        inner: Any = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner.routes)
        elif getattr(route, "methods", None) is None and type(route).__name__ == "APIWebSocketRoute":
            yield "WS", str(getattr(route, "path", ""))
        else:
            for method in getattr(route, "methods", None) or {"GET"}:
                yield method, str(getattr(route, "path", ""))


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<title>dashboard</title>")
    (tmp_path / "dist" / "assets" / "index-abc.js").write_text("1")
    (tmp_path / "dist" / "scheme.js").write_text("2")
    async with running_gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(gateway.address, cookie_jar=jar) as session:
        yield session


async def signed_in(http: aiohttp.ClientSession) -> str:
    async with http.post("/api/login", json={"token": TOKEN}) as answer:
        assert answer.status == 200
    cookie = next(iter(http.cookie_jar))
    http.cookie_jar.clear()
    return f"{cookie.key}={cookie.value}"


async def status(http: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str]) -> int:
    concrete = re.sub(r"\{label\}", "job", path).replace("{path:path}", "wall")
    if method == "WS":
        try:
            url = f"ws://{http._base_url.authority if http._base_url else ''}{concrete}"
            async with websockets.connect(url, additional_headers=headers):
                return 101
        except websockets.InvalidStatus as refusal:
            return refusal.response.status_code
    async with http.request(method, concrete, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def test_every_route_with_every_kind_of_credential(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    accepted = {
        "bearer": {"Authorization": f"Bearer {TOKEN}"},
        "basic": {"Authorization": basic(TOKEN)},
        "cookie": {"Cookie": await signed_in(http), "Origin": gateway.address},
    }
    routes = sorted(set(routes_of(gateway.app.routes)))
    assert len(routes) > 20
    assert ("WS", "/ws/results") in routes
    for method, path in routes:
        if path in OPEN:
            assert await status(http, method, path, {}) not in (401, 403), path
            continue
        page = method in ("GET", "HEAD") and not path.startswith(("/api", "/ws"))
        for name, headers in REFUSED.items():
            assert await status(http, method, path, headers) == (303 if page else 401), (method, path, name)
        if path == "/api/logout":
            continue  # ends the session that is tried next
        for name, headers in accepted.items():
            assert await status(http, method, path, headers) in (101, 200, 400, 404, 422, 426, 503), (
                method,
                path,
                name,
            )


async def test_what_the_login_page_needs_is_open_and_nothing_else(http: aiohttp.ClientSession) -> None:
    for path, expected in {
        "/assets/index-abc.js": 200,
        "/scheme.js": 200,
        "/index.html": 303,
        "/assets/../index.html": 303,
        "/data/token": 303,
        "/wall": 303,
        "/openapi.json": 303,
        "/metrics": 303,
    }.items():
        assert await status(http, "GET", path, {}) == expected, path


async def test_the_ready_link_opens_a_page_that_signs_in_once(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    link = gateway.link()
    code = link.partition("?code=")[2]
    for method in ("HEAD", "GET", "GET"):  # a preview in a chat uses nothing up
        async with http.request(method, link) as answer:
            assert answer.status == 200
            assert "Set-Cookie" not in answer.headers
            page = await answer.text()
    assert f'name="code" value="{code}"' in page
    assert '<form method="post" action="/api/login">' in page
    advance = {"Sec-Purpose": "prefetch;prerender"}
    async with http.post("/api/login", data={"code": code}, headers=advance) as answer:
        assert answer.status == 403
    async with http.post("/api/login", data={"code": code}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert code not in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    async with http.get("/") as answer:
        assert "dashboard" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get("/api/session") as session:
        said = await session.json()
    assert (said["role"], said["name"], said["version"]) == ("operator", "main", "0.1.0")
    assert said["expires"] > time.time()
    http.cookie_jar.clear()
    async with http.post("/api/login", data={"code": code}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?link=used&next=/")
        assert "Set-Cookie" not in answer.headers
    async with http.get(answer.headers["Location"]) as login:
        assert "framefleet link" in await login.text()


async def test_two_browsers_at_once_cannot_both_use_a_link(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    for _ in range(5):
        body = {"code": gateway.link().partition("?code=")[2]}

        async def attempt(body: dict[str, str] = body) -> int:
            async with http.post("/api/login", json=body) as answer:
                return answer.status

        assert sorted(await asyncio.gather(*(attempt() for _ in range(4)))) == [200, 401, 401, 401]


async def test_a_token_in_a_link_signs_nobody_in(http: aiohttp.ClientSession) -> None:
    for token in (TOKEN, "nonsense"):
        async with http.get(f"/?token={token}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login?link=token")
            assert "Set-Cookie" not in answer.headers
    async with http.get("/login?link=token") as login:
        assert "framefleet link" in await login.text()


async def test_a_code_that_cannot_be_one_is_not_shown(http: aiohttp.ClientSession) -> None:
    async with http.get("/?code=%22%3E%3Cscript%3E", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?link=used")


async def test_the_form_signs_in_and_leads_back(http: aiohttp.ClientSession) -> None:
    form = {"token": TOKEN, "next": "/wall?group=north"}
    async with http.post("/api/login", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/wall?group=north")
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        async with http.post("/api/login", data={**form, "next": elsewhere}, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/"


async def test_a_login_that_is_no_login(http: aiohttp.ClientSession) -> None:
    cases: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"[]", 400),
        (b'{"token":1}', 400),
        (b"{}", 400),
        (b'{"token":"a","code":"b"}', 400),
        (b'{"tok', 400),
        (b"\xff\xfe", 400),
        (b"{" + b" " * 5000, 413),
        (b'{"token":"no"}', 401),
        (b'{"code":"no"}', 401),
    ]
    for body, expected in cases:
        async with http.post("/api/login", data=body, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == expected, body[:20]
            assert (await answer.json())["status"] == "error"


async def test_signing_out_ends_the_session_and_its_sockets(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    cookie = {"Cookie": await signed_in(http), "Origin": gateway.address}
    url = f"ws://127.0.0.1:{gateway.port}/ws/results"
    async with websockets.connect(url, additional_headers=cookie) as socket:
        async with http.post("/api/logout", headers=cookie) as answer:
            assert answer.status == 200
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    assert await status(http, "GET", "/api/session", cookie) == 401


async def test_guessing_is_slowed_down(http: aiohttp.ClientSession) -> None:
    codes = [
        await status(http, "GET", "/api/session", {"Authorization": f"Bearer guess-{n}"}) for n in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2
    assert await status(http, "GET", "/", {}) == 303  # who looks for the login finds it
    for body in ({"token": TOKEN}, {"code": "guess"}):
        async with http.post("/api/login", json=body) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


async def test_a_program_with_one_wrong_token_locks_nobody_out(http: aiohttp.ClientSession) -> None:
    for _ in range(30):
        assert await status(http, "GET", "/api/session", {"Authorization": f"Bearer {WRONG}"}) == 401
    assert await status(http, "GET", "/api/session", {"Authorization": f"Bearer {TOKEN}"}) == 200


async def test_only_programs_are_asked_for_basic(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/metrics") as answer:
        assert "Basic" in answer.headers["WWW-Authenticate"]
        assert "Bearer" in (await answer.json())["error"]
    for browser in ({"Sec-Fetch-Mode": "cors"}, {"User-Agent": "Mozilla/5.0 (X11)"}):
        async with http.get("/api/metrics", headers=browser) as answer:
            assert answer.status == 401
            assert "WWW-Authenticate" not in answer.headers


async def test_foreign_origins_are_refused_before_accept(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    good = {"Authorization": f"Bearer {TOKEN}"}
    own = f"http://127.0.0.1:{gateway.port}"
    for origin, expected in {
        own: 101,
        "https://evil.example": 403,
        "null": 403,
        f"{own}.evil.example": 403,
    }.items():
        assert await status(http, "WS", "/ws/results", {**good, "Origin": origin}) == expected, origin
    foreign = {"Origin": "https://evil.example"}
    assert await status(http, "POST", "/api/login", foreign) == 403
    assert await status(http, "POST", "/api/logout", {**good, **foreign}) == 403
    assert await status(http, "GET", "/api/session", {**good, **foreign}) == 200  # reads need no origin


async def test_allowed_origins_and_the_public_url(tmp_path: Path) -> None:
    async with running_gateway(
        tmp_path, allowed_origins="https://wall.example", public_url="https://fleet.example"
    ) as gateway:
        assert gateway.link().startswith("https://fleet.example/?code=")
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        for origin in ("https://wall.example", "https://fleet.example"):
            async with websockets.connect(
                url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, origin=websockets.Origin(origin)
            ):
                pass


async def test_without_authentication_only_this_machine_is_served(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, auth="off", token=None) as gateway:
        async with aiohttp.ClientSession(gateway.address) as http:
            assert await status(http, "GET", "/api/session", {}) == 200
            # A foreign name that was made to resolve to this machine (DNS rebinding).
            assert await status(http, "GET", "/api/session", {"Host": "evil.example"}) == 403
        assert gateway.link() == gateway.address + "/"


async def test_security_headers_and_caching(http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/", "/login", "/api/metrics", "/livez", "/nope.txt", "/assets/index-abc.js"):
        async with http.get(path, headers=headers) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; "), path
            assert "unsafe" not in policy
            assert "*" not in policy
            assert "Strict-Transport-Security" not in answer.headers  # it did not come by HTTPS
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answer.headers
            cache = answer.headers["Cache-Control"]
            expected = "immutable" if path.startswith("/assets/") else "no-store" if "." in path else "no-"
            assert expected in cache, path


async def test_files_outside_the_dashboard_are_not_served(gateway: Gateway) -> None:
    for path in (
        "/../data/token",
        "/..%2fdata%2ftoken",
        "/assets/..%2f..%2fdata%2ftoken",
        "/a%00b",
        "//data/token",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        )
        writer.write(request.encode())
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(("HTTP/1.1 200", "HTTP/1.1 404")), path  # 200: the dashboard's own page
        assert TOKEN not in answer


async def test_a_dashboard_that_is_not_built_says_how(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway, aiohttp.ClientSession(gateway.address) as http:
        async with http.get("/", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 503
            assert "npm run build" in await answer.text()
        async with http.get("/login") as answer:
            assert '<form method="post" action="/api/login">' in await answer.text()


async def test_probes_name_what_is_missing(http: aiohttp.ClientSession) -> None:
    async with http.get("/livez") as answer:
        assert answer.status == 200
    async with http.get("/readyz") as answer:
        assert answer.status == 503
        assert "RabbitMQ" in (await answer.json())["missing"][0]


async def test_the_api_describes_itself(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        document = await answer.json()
    assert {"/api/metrics", "/api/cameras", "/api/login", "/api/prometheus/api/v1/query"} <= set(
        document["paths"]
    )
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


async def test_an_unknown_path_is_a_404_in_the_form_that_was_asked_for(http: aiohttp.ClientSession) -> None:
    signed = {"Cookie": await signed_in(http)}
    browser = signed | {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    html, problem = "text/html", "application/json"
    for path, headers, expected in [
        ("/events?range=1h", browser, (200, html)),
        ("/events/", signed, (200, html)),
        ("/elsewhere", browser, (404, html)),
        ("/elsewhere", signed, (404, problem)),
        ("/api/elsewhere", browser, (404, problem)),
        ("/assets/index-old.js", browser, (404, problem)),
        ("/robots.txt", browser, (404, problem)),
    ]:
        async with http.get(path, headers=headers) as answer:
            assert (answer.status, answer.content_type) == expected, path
