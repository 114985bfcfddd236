"""Further tokens, roles and links against a running gateway: what each may do, and how it ends."""

import asyncio
import json
import os
import re
import socket as socket_module
import stat
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
import websockets

from cli.errors import CommandError
from cli.layout import Layout
from cli.link import show
from cli.ports import free_port
from gateway.errors import CannotStart
from gateway.security.operator_socket import ask_socket, socket_file
from gateway.service import Gateway
from gateway.tokens import add_token, revoke_token
from gateway.tokens.roles import needed_role
from runtime.unix_sockets import short
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.gateway import NO_BROKER, TOKEN, running_gateway
from tests.helpers.processes import ROOT
from tests.integration.test_gateway_access import routes_of

SOON = 3.0  # a revocation holds within about a second


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(gateway.address, cookie_jar=jar) as session:
        yield session


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def new_token(gateway: Gateway, name: str, role: Any = "viewer", seconds: float = 1000.0) -> str:
    wall = time.time()
    return add_token(gateway.settings.tokens, name, role, wall, wall + seconds)


async def browser(http: aiohttp.ClientSession, gateway: Gateway, **body: str) -> dict[str, str]:
    """What a browser that has signed in sends along."""
    async with http.post("/api/login", json=body) as answer:
        assert answer.status == 200, await answer.text()
    cookie = next(iter(http.cookie_jar))
    http.cookie_jar.clear()
    return {"Cookie": f"{cookie.key}={cookie.value}", "Origin": gateway.address}


async def status(http: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str]) -> int:
    async with http.request(method, path, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def socket(gateway: Gateway, headers: dict[str, str]) -> websockets.ClientConnection:
    return await websockets.connect(f"ws://127.0.0.1:{gateway.port}/ws/results", additional_headers=headers)


async def ended(opened: websockets.ClientConnection) -> int | None:
    """The code that the gateway closes with."""
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(opened.recv(), SOON)
    return closed.value.rcvd.code if closed.value.rcvd is not None else None


# --- roles -----------------------------------------------------------------------------------------------


async def test_a_viewer_reads_everything_and_changes_nothing(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    token = new_token(gateway, "wall")
    routes = sorted({(m, p) for m, p in routes_of(gateway.app.routes) if m != "WS" and p != "/assets"})
    changing = [each for each in routes if needed_role(*each) == "operator"]
    assert {("POST", "/api/links"), ("POST", "/api/models/switch"), ("DELETE", "/api/models/switch")} <= set(
        changing
    )
    for headers in (bearer(token), await browser(http, gateway, token=token)):
        for method, path in routes:
            concrete = re.sub(r"\{[^}]*\}", "job", path)
            if path in ("/api/logout", "/api/login"):
                continue
            expected = {403} if (method, path) in changing else {200, 303, 400, 404, 422, 426, 503}
            assert await status(http, method, concrete, headers) in expected, (method, path)
        async with http.post("/api/models/switch?model=haar", headers=headers) as answer:
            assert await answer.json() == {
                "status": "error",
                "errorType": "forbidden",
                "error": "this needs the role operator; you are signed in as viewer",
            }
        # No Prometheus here.
        assert await status(http, "POST", "/api/prometheus/api/v1/query", headers) == 503
        assert await status(http, "POST", "/api/not/there", headers) == 403
        async with await socket(gateway, headers):
            pass


async def test_the_session_says_who_asks(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    token = new_token(gateway, "wall", seconds=500.0)
    for headers in (bearer(token), await browser(http, gateway, token=token)):
        async with http.get("/api/session", headers=headers) as answer:
            said = await answer.json()
        assert (said["role"], said["name"]) == ("viewer", "wall")
        assert said["expires"] == pytest.approx(time.time() + 500, abs=5)
    async with http.get("/api/session", headers=bearer(TOKEN)) as answer:
        assert await answer.json() == {
            "role": "operator",
            "name": "main",
            "expires": None,
            "version": "0.1.0",
            "launcher": None,
        }


async def test_a_browser_must_say_that_the_page_is_ours(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    signed_in = await browser(http, gateway, token=TOKEN)
    cookie = {"Cookie": signed_in["Cookie"]}
    for further, expected in (
        ({"Origin": gateway.address}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
    ):
        assert await status(http, "POST", "/api/links", {**cookie, **further}) == expected, further
    assert await status(http, "POST", "/api/links", bearer(TOKEN)) == 200  # programs have no page
    assert await status(http, "GET", "/api/session", cookie) == 200
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await socket(gateway, cookie)
    assert refusal.value.response.status_code == 403


async def test_what_a_foreign_page_can_send_unasked_is_no_login(http: aiohttp.ClientSession) -> None:
    body = f'{{"token": "{TOKEN}"}}'.encode()
    for kind in ("text/plain", "multipart/form-data", "text/plain; application/json", ""):
        async with http.post("/api/login", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == 415, kind


# --- the end of a token ----------------------------------------------------------------------------------


async def test_a_revoked_token_is_out_with_all_that_it_has_open(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    token, other = new_token(gateway, "anna", "operator"), new_token(gateway, "bert")
    program, page = bearer(token), await browser(http, gateway, token=token)
    async with http.post("/api/links?role=viewer", headers=program) as answer:
        code = (await answer.json())["link"].partition("code=")[2]
    async with http.post("/api/links", json={"role": "viewer"}, headers=page) as answer:
        second = (await answer.json())["link"].partition("code=")[2]
    guest = await browser(http, gateway, code=code)
    opened = [await socket(gateway, headers) for headers in (program, page, guest)]
    async with await socket(gateway, bearer(other)) as kept:
        revoke_token(gateway.settings.tokens, "anna", time.time())
        assert [await ended(each) for each in opened] == [4401] * 3
        for headers in (program, page, guest):
            assert await status(http, "GET", "/api/session", headers) == 401
        async with http.post("/api/login", json={"code": second}) as answer:
            assert answer.status == 401
        assert await status(http, "GET", "/api/session", bearer(other)) == 200
        await asyncio.wait_for(await kept.ping(), SOON)


async def test_an_expired_token_is_out_too(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    token = new_token(gateway, "guest", seconds=2.0)
    page = await browser(http, gateway, token=token)
    opened = [await socket(gateway, headers) for headers in (bearer(token), page)]
    assert [await ended(each) for each in opened] == [4401] * 2
    for headers in (bearer(token), page):
        assert await status(http, "GET", "/api/session", headers) == 401


async def test_while_the_file_is_broken_nothing_changes(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    gone, kept = new_token(gateway, "gone"), new_token(gateway, "kept")
    revoke_token(gateway.settings.tokens, "gone", time.time())
    assert await status(http, "GET", "/api/session", bearer(kept)) == 200
    gateway.settings.tokens.write_text("broken")
    for _ in range(2):
        gateway.authenticator.refresh(time.time())
        assert await status(http, "GET", "/api/session", bearer(kept)) == 200
        assert await status(http, "GET", "/api/session", bearer(gone)) == 401


async def test_a_gateway_does_not_start_with_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "my-tokens.json"
    file.write_text("{}")
    with pytest.raises(CannotStart, match=r"my-tokens\.json is not a file of tokens"):
        async with running_gateway(tmp_path, tokens_file=file):
            pass


# --- links and the log -----------------------------------------------------------------------------------


async def test_a_link_is_made_by_operators_and_has_the_role_asked_for(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    async with http.post("/api/links?role=viewer", headers=bearer(TOKEN)) as answer:
        made = await answer.json()
    assert made["link"].startswith(f"{gateway.address}/?code=")
    assert made["expires"] == pytest.approx(time.time() + 24 * 3600, abs=5)
    page = await browser(http, gateway, code=made["link"].partition("code=")[2])
    async with http.get("/api/session", headers=page) as answer:
        said = await answer.json()
    assert (said["role"], said["name"]) == ("viewer", "main")
    for role, expected in (("admin", 422), ("operator", 200)):
        assert await status(http, "POST", f"/api/links?role={role}", bearer(TOKEN)) == expected
    async with http.post("/api/links", json={"role": "admin"}, headers=bearer(TOKEN)) as answer:
        assert answer.status == 400


async def test_without_authentication_there_are_no_links(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, auth="off") as gateway,
        aiohttp.ClientSession(gateway.address) as http,
    ):
        async with http.post("/api/links") as answer:
            assert answer.status == 409
        async with http.get("/?code=abc", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
        async with http.get("/api/session") as answer:
            assert await answer.json() == {
                "role": "operator",
                "name": None,
                "expires": None,
                "version": "0.1.0",
                "launcher": None,
            }


async def test_who_did_what_is_in_the_log(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    wall = new_token(gateway, "wall")
    with structlog.testing.capture_logs() as logs:
        page = await browser(http, gateway, token=wall)
        await status(http, "POST", "/api/links", page)
        await status(http, "POST", "/api/links", bearer(TOKEN))
        await status(http, "POST", "/api/login", {"Origin": "https://evil.example"})
        for n in range(13):
            await status(http, "GET", "/api/session", bearer(f"wrong-{n}"))
        await status(http, "POST", "/api/logout", page)
    events = [line["event"] for line in logs]
    signed_in = next(line for line in logs if line["event"] == "signed in")
    assert (signed_in["name"], signed_in["role"], signed_in["address"]) == ("wall", "viewer", "127.0.0.1")
    refused = next(line for line in logs if line["event"] == "a change was refused")
    assert (refused["name"], refused["method"], refused["path"]) == ("wall", "POST", "/api/links")
    assert (
        events.count("link made")
        == events.count("signed out")
        == events.count("a foreign page was refused")
        == 1
    )
    assert events.count("a wrong token or code") == 10
    assert events.count("somebody guesses tokens: nothing more is tried for a minute") == 1
    counted = gateway.metrics.registry.get_sample_value
    assert counted("gateway_logins_total", {"outcome": "accepted"}) == 1
    assert counted("gateway_refused_total", {"reason": "role"}) == 1
    assert counted("gateway_refused_total", {"reason": "guessing"}) == 3


async def test_the_operator_s_command_prints_a_link_or_says_why_not(
    gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(CommandError, match="`make up`"):  # the entry point prints it and exits with 1
        await asyncio.to_thread(show, layout, "viewer")
    layout.run.mkdir()
    layout.endpoints.write_text(json.dumps({"gateway": gateway.address, "token": TOKEN}))
    assert await asyncio.to_thread(show, layout, "viewer") == 0
    assert f"{gateway.address}/?code=" in capsys.readouterr().out
    for endpoints, words in (
        ({"gateway": gateway.address, "token": "old"}, "made no link: no valid token"),
        ({"gateway": "http://127.0.0.1:1", "token": TOKEN}, "no gateway answers at http://127.0.0.1:1"),
    ):
        layout.endpoints.write_text(json.dumps(endpoints))
        with pytest.raises(CommandError, match=words):
            await asyncio.to_thread(show, layout, "viewer")


async def test_guessing_on_this_machine_shuts_nobody_out_of_the_operators_command(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The main token of this gateway is one that somebody chose: by HTTP it waits with the guesses."""
    for n in range(11):
        await status(http, "GET", "/api/session", bearer(f"guess-{n}"))
    assert await status(http, "GET", "/api/session", bearer(TOKEN)) == 429
    layout = Layout(tmp_path)
    layout.gateway.parent.mkdir()
    layout.gateway.symlink_to(gateway.settings.data_dir)
    layout.endpoints.write_text(json.dumps({"gateway": gateway.address, "token": TOKEN}))
    assert await asyncio.to_thread(show, layout, "viewer") == 0
    link = capsys.readouterr().out.strip()
    page = await browser(http, gateway, code=link.partition("code=")[2])
    async with http.get("/api/session", headers=page) as answer:
        assert (await answer.json())["role"] == "viewer"


async def test_a_random_main_token_is_not_shut_out_by_guesses(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, token=None) as gateway,
        aiohttp.ClientSession(gateway.address) as http,
    ):
        main = (gateway.settings.data_dir / "token").read_text().strip()
        guessed = [await status(http, "GET", "/api/session", bearer(f"guess-{n}")) for n in range(12)]
        assert guessed == [401] * 10 + [429] * 2
        assert await status(http, "GET", "/api/session", bearer(main)) == 200
        async with http.post("/api/login", json={"token": main}) as answer:
            assert answer.status == 200


async def test_a_session_that_was_signed_out_stays_so_when_the_gateway_restarts(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as first:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(first.address, cookie_jar=jar) as http:
            stolen, other = [await browser(http, first, token=TOKEN) for _ in range(2)]
            assert await status(http, "POST", "/api/logout", stolen) == 200
    async with running_gateway(tmp_path) as second, aiohttp.ClientSession(second.address) as http:
        assert await status(http, "GET", "/api/session", stolen) == 401
        assert await status(http, "GET", "/api/session", other) == 200


async def test_gateways_that_share_the_folder_share_sign_outs_and_not_the_socket(tmp_path: Path) -> None:
    postgres = "postgresql://nobody:none@127.0.0.1:1/none"  # a SQLite file would be one gateway's alone
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        running_gateway(tmp_path, database_url=postgres) as here,
        running_gateway(tmp_path, database_url=postgres) as there,
        aiohttp.ClientSession(here.address, cookie_jar=jar) as http,
    ):
        page = await browser(http, here, token=TOKEN)
        opened = await socket(there, {**page, "Origin": there.address})
        assert await status(http, "POST", "/api/logout", page) == 200
        assert await ended(opened) == 4401
        for gateway in (here, there):
            file = socket_file(gateway.settings.data_dir, gateway.port)
            link = await asyncio.to_thread(ask_socket, file, "viewer")
            assert link is not None
            assert link.startswith(f"{gateway.address}/?code=")


async def test_the_operators_socket_is_its_users_alone_and_bears_anything(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)  # an address of a Unix socket has room for 107 bytes
    async with running_gateway(folder) as gateway:
        file = socket_file(gateway.settings.data_dir, gateway.port)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for words in (
            b"",
            b"\n",
            b"[" * 4000 + b"\n",
            b"x" * 10_000,
            b'{"role": "admin"}\n',
            b"GET / HTTP/1.1\r\n",
        ):
            assert await spoken(file, words) == b""
        assert json.loads(await spoken(file, b'{"role": "viewer"}\n'))["link"].startswith(gateway.address)
    assert not file.exists()


async def spoken(file: Path, words: bytes) -> bytes:
    """What the operator's socket answers."""
    with short(file) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(words)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), SOON)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_gateway_that_was_killed_leaves_no_socket_in_the_way(tmp_path: Path) -> None:
    port = free_port()
    file = socket_file(tmp_path / "data", port)
    file.parent.mkdir()
    with short(file) as path, socket_module.socket(socket_module.AF_UNIX) as left:
        left.bind(path)
    assert file.is_socket()
    assert await asyncio.to_thread(ask_socket, file, "viewer") is None
    async with running_gateway(tmp_path, port=port):
        assert await asyncio.to_thread(ask_socket, file, "viewer") is not None


async def command(*words: str, **environment: str) -> tuple[int, str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *words,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode().strip(), err.decode()


async def test_the_commands_of_a_container_and_no_secret_in_its_log(
    tmp_path: Path, start: StartService
) -> None:
    environment = {
        "AMQP_URL": NO_BROKER,
        "GATEWAY_PORT": str(free_port()),
        "GATEWAY_DATA_DIR": str(tmp_path / "data"),
        "LOG_LEVEL": "debug",
    }
    address = f"http://127.0.0.1:{environment['GATEWAY_PORT']}"
    old = tmp_path / "data" / "of-an-earlier-version"
    old.parent.mkdir(mode=0o700)
    old.write_text("")
    old.chmod(0o664)
    code, _, said = await command("gateway.link", **environment)
    assert (code, said) == (1, f"no gateway answers at {address}: start it, then ask again\n")
    service = start("gateway", **environment)
    eventually("it listens", lambda: "gateway listens" in service.log.read_text())
    eventually("it says how to sign in", lambda: "framefleet link" in service.log.read_text())

    code, token, said = await command("gateway.tokens", "add", "wall", "--role", "operator", **environment)
    assert (code, "not shown again" in said) == (0, True)
    code, link, said = await command("gateway.link", "--role", "viewer", **environment)
    assert (code, said) == (0, "")
    assert link.startswith(f"{address}/?code=")
    made = link.partition("code=")[2]
    main = (tmp_path / "data" / "token").read_text().strip()
    secrets = {"main token": main, "token": token, "code": made}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(address, cookie_jar=jar) as http:
        for place in (f"/?code={made}", f"/?token={token}", f"/wall?token={main}", f"/login?token={main}"):
            async with http.get(place) as answer:
                assert answer.status == 200
        for body in (
            {"code": made},
            {"code": made},
            {"token": token},
            {"token": main},
            {"token": token + "x"},
        ):
            async with http.post("/api/login", json=body) as answer:
                assert answer.status in (200, 401)
            for cookie in http.cookie_jar:
                secrets[f"cookie of {body}"] = cookie.value.rpartition(".")[2]
        for headers in (
            bearer(token),
            bearer(main),
            {"Authorization": aiohttp.encode_basic_auth("x", token)},
        ):
            async with http.get("/api/session", headers=headers) as answer:
                assert answer.status == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", int(environment["GATEWAY_PORT"]))
        writer.write(f"GET /?token={main} HTTP/1.1\r\nAuthorization: {token}\r\n: broken\r\n\r\n".encode())
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        await writer.wait_closed()
    code, _, _ = await command("gateway.tokens", "revoke", "wall", **environment)
    assert code == 0
    eventually("the gateway has seen it", lambda: "tokens read again" in service.log.read_text())
    assert old.stat().st_mode & 0o777 == 0o660  # the group's rights may be somebody's choice
    old.unlink()
    files = sorted(old.parent.iterdir())
    assert {"history.sqlite3", "history.sqlite3-wal", "token", "tokens.json"} <= {each.name for each in files}
    assert [each for each in files if each.stat().st_mode & 0o077] == []
    assert service.stop() == 0
    log = service.log.read_text()
    assert "signed in" in log
    assert "?code=" not in log  # a log may be read by many, and shipped to more
    for name, secret in secrets.items():
        assert secret not in log, name
    code, _, said = await command("gateway.tokens", "list", GATEWAY_TOKENS_FIL="x")
    assert (code, "GATEWAY_TOKENS_FILE" in said) == (2, True)
