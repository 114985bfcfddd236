"""The examples do what they say: as programs of their own, on a real broker, worker, gateway, nginx and Caddy."""

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from cli.ports import free_port
from tests.conftest import StartService
from tests.helpers import caddy
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg
from tests.helpers.nginx import serving
from tests.helpers.processes import ROOT, Service

pytestmark = pytest.mark.integration

EXAMPLES = ROOT / "examples"
PYTHON = EXAMPLES / "python"


class Example:
    """A program that runs; its lines are read from files, so that nothing waits for a pipe."""

    def __init__(self, folder: Path, command: Sequence[Any], **environment: str) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def said(self, word: str) -> bool:
        """Whether a line with the word has come; fails with what it said if it has ended."""
        assert self.process.poll() is None, self.err.read_text()
        return word in self.out.read_text()

    def end(self) -> None:
        """It has no end of its own."""
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "face.jpg"
    file.write_bytes(jpeg(astronaut()))
    return file


@pytest.fixture
def worker(start: StartService, rabbitmq: str) -> Service:
    return start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar").ready()


@pytest.fixture
def gateway(start: StartService, rabbitmq: str, tmp_path: Path) -> str:
    """The address of a gateway with the token TOKEN."""
    port = free_port()
    settings = {"GATEWAY_PORT": str(port), "GATEWAY_TOKEN": TOKEN, "GATEWAY_DATA_DIR": str(tmp_path / "data")}
    start("gateway", AMQP_URL=rabbitmq, **settings).ready()
    return f"127.0.0.1:{port}"


def run(name: str, *arguments: object, url: str) -> str:
    """The output of an example that ends by itself, and well."""
    done = subprocess.run(
        [sys.executable, PYTHON / name, *map(str, arguments)],
        env={**os.environ, "AMQP_URL": url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_are_sent_and_results_read(
    worker: Service, gateway: str, rabbitmq: str, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "amqp").mkdir()
    (tmp_path / "socket").mkdir()
    (tmp_path / "node").mkdir()
    address = f"ws://{gateway}/ws/results"
    node = [shutil.which("node") or "node"]
    if major(node[0]) < 22:
        node.append("--experimental-websocket")
    readers = (
        Example(tmp_path / "amqp", [sys.executable, PYTHON / "results_amqp.py"], AMQP_URL=rabbitmq),
        Example(tmp_path / "socket", [sys.executable, PYTHON / "watch.py", address], TOKEN=TOKEN),
        Example(
            tmp_path / "node", [*node, EXAMPLES / "node" / "watch.mjs", f"http://{gateway}"], TOKEN=TOKEN
        ),
    )
    try:
        # Until all of them listen: a reader over AMQP gets only what comes after its queue was bound.
        def everybody_hears() -> bool:
            run("send_json.py", picture, "gate-1", url=rabbitmq)
            return all(reader.said("gate-1") for reader in readers)

        eventually("every reader has a result of gate-1", everybody_hears, 30)
        assert run("send_compact.py", "gate-2", picture, picture, url=rabbitmq) == "2 confirmed\n"
        eventually("a result of gate-2", lambda: all(reader.said("gate-2") for reader in readers))
    finally:
        for reader in readers:
            reader.end()


def test_a_request_gets_its_own_reply(worker: Service, rabbitmq: str, picture: Path) -> None:
    said = run("request_reply.py", picture, url=rabbitmq)
    assert said.startswith("face ")
    assert "found by haar" in said


def test_a_wrong_token_is_said(gateway: str) -> None:
    done = subprocess.run(
        [sys.executable, PYTHON / "watch.py", f"ws://{gateway}/ws/results"],
        env={**os.environ, "TOKEN": "a-wrong-one"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("401: ")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of cameras.example and of 127.0.0.1, signed by itself, and its key."""
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-out", files[0], "-keyout", files[1], "-days", "2", "-subj", "/CN=cameras.example",
         "-addext", "subjectAltName=DNS:cameras.example,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@asynccontextmanager
async def behind_nginx(folder: Path, certificate: tuple[Path, Path]) -> AsyncIterator[tuple[str, str]]:
    """A gateway behind the example, with other ports and files; gives its addresses without and with TLS."""
    plain, port = free_port(), free_port()
    seen = f"https://127.0.0.1:{port}"
    async with running_gateway(folder, trusted_proxies="127.0.0.1", public_url=seen) as gateway:
        server = (EXAMPLES / "proxy" / "nginx.conf").read_text()
        for old, new in (
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
            ("/etc/ssl/cameras.example.pem", str(certificate[0])),
            ("/etc/ssl/private/cameras.example.key", str(certificate[1])),
            ("127.0.0.1:8080", f"127.0.0.1:{gateway.port}"),
        ):
            assert old in server, old
            server = server.replace(old, new)
        with serving(folder / "nginx", server, port):
            yield f"http://127.0.0.1:{plain}", seen


async def test_nginx_with_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    async with behind_nginx(tmp_path, certificate) as (plain, seen), aiohttp.ClientSession() as http:
        async with http.get(f"{plain}/api/session", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, "https://127.0.0.1/api/session")
        own = {"Origin": seen}
        async with http.post(f"{seen}/api/login", json={"token": TOKEN}, headers=own, ssl=trust) as answer:
            assert answer.status == 200
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-")
            assert "Secure" in cookie
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        url = seen.replace("http", "ws", 1) + "/ws/results"
        async with websockets.connect(url, ssl=trust, additional_headers=bearer):
            pass


def caddy_site(page: str) -> str:
    """The site of the example, or that of the page."""
    if page == "example":
        return (EXAMPLES / "proxy" / "Caddyfile").read_text()
    found = re.search(
        r"```\n(cameras\.example \{.*?)```", (ROOT / "docs" / "security.md").read_text(), re.DOTALL
    )
    assert found
    return found[1]


@pytest.mark.parametrize("page", ["example", "docs"])
async def test_caddy_with_tls(tmp_path: Path, certificate: tuple[Path, Path], page: str) -> None:
    """It sets all X-Forwarded headers by itself, and passes on none that the client wrote."""
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    port = free_port()
    seen = f"https://127.0.0.1:{port}"
    async with (
        running_gateway(tmp_path, trusted_proxies="127.0.0.1", public_url=seen) as gateway,
        aiohttp.ClientSession() as http,
    ):
        site = caddy_site(page)
        for old, new in (
            ("cameras.example {", f"{seen} {{\n    tls {certificate[0]} {certificate[1]}"),
            ("127.0.0.1:8080", f"127.0.0.1:{gateway.port}"),
        ):
            assert old in site, old
            site = site.replace(old, new)
        with caddy.serving(tmp_path / "caddy", site, port):
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            evil = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.5"}
            own = {"Origin": seen}
            login = http.post(f"{seen}/api/login", json={"token": TOKEN}, headers={**own, **evil}, ssl=trust)
            async with login as answer:
                assert answer.status == 200
                assert answer.headers["Set-Cookie"].startswith("__Host-")
            async with http.post(f"{seen}/api/links", headers={**bearer, **evil}, ssl=trust) as answer:
                assert (await answer.json())["link"].startswith(f"{seen}/?code=")
            foreign = {**evil, "Origin": "https://evil.example"}
            async with http.post(f"{seen}/api/login", headers=foreign, ssl=trust) as answer:
                assert answer.status == 403
            url = seen.replace("http", "ws", 1) + "/ws/results"
            async with websockets.connect(url, ssl=trust, additional_headers={**bearer, **own}):
                pass


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Its program is not on this machine; everything else is judged by systemd itself."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: not every machine that runs this has systemd")
    unit = (EXAMPLES / "systemd" / "framefleet.service").read_text()
    command = "/srv/framefleet/app/.venv/bin/framefleet up"
    assert f"ExecStart={command}\n" in unit
    (tmp_path / "framefleet.service").write_text(unit.replace(command, "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "framefleet.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def major(node: str) -> int:
    """The major version of Node."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.lstrip("v").split(".")[0])
