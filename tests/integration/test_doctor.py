"""`framefleet doctor` on a real system that is broken in one way after the other, and among strangers."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from broker.session import session
from cli import lock
from cli.doctor import broker, certificates
from cli.doctor.command import CHECKS
from cli.doctor.examination import examine
from cli.doctor.finding import AreaFinding, Findings, Level
from cli.doctor.place import Place, find_place
from cli.layout import CHECKOUT, Layout
from cli.ports import LOOPBACK, free_port
from cli.prometheus import configuration, write_workers
from cli.rabbitmq import RabbitMQNode
from cli.survivors import Register
from contract.topology import Queue
from tests.conftest import StartService
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.raw_http import raw_camera, self_signed
from tests.helpers.tool import framefleet

pytestmark = pytest.mark.integration

TOKEN = "a-token-of-the-doctor-s-test"
WHOLE_SECONDS = 10.0
JSON = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html><h1>Printer</h1></ht"
HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n" + b"x" * 10_485_760
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1_000


def looked(layout: Layout, **named: str) -> list[AreaFinding]:
    """All findings; the look may not take longer than it promises."""
    begun = time.monotonic()
    found = examine(find_place({}, layout, **named), CHECKS)
    assert time.monotonic() - begun < WHOLE_SECONDS
    assert [each for each in found if each.level is not Level.OK and not each.todo] == []
    return found


def failed(found: list[AreaFinding]) -> set[tuple[str, str]]:
    """Area and name of what would stop a script."""
    return {(each.area, each.name) for each in found if each.failed}


def said(found: list[AreaFinding], area: str, name: str) -> AreaFinding:
    """The first finding of that name."""
    return next(each for each in found if (each.area, each.name) == (area, name))


def layout_of(root: Path) -> Layout:
    """A checkout's folders, with the dashboard of this one."""
    layout = Layout(root)
    layout.create()
    for name in ("deploy", "dashboard"):
        (root / name).symlink_to(CHECKOUT / name)
    return layout


class SmallSystem:
    """A gateway, a worker and Prometheus on the suite's broker, with the files that `make up` writes of them."""

    def __init__(self, root: Path, start: StartService, node: RabbitMQNode, url: str) -> None:
        self.layout = layout_of(root)
        port, prometheus = free_port(), free_port()
        self.gateway = start(
            "gateway",
            AMQP_URL=url,
            GATEWAY_PORT=str(port),
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(self.layout.gateway),
            PROMETHEUS_URL=f"http://{LOOPBACK}:{prometheus}",
        )
        self.worker = start("worker", AMQP_URL=url, NODE_ID="n-1", WORKER_DETECTOR="haar")
        write_workers(self.layout.workers, [self.worker.probe])
        targets = {
            "gateway": f"{LOOPBACK}:{self.gateway.probe}",
            "rabbitmq": f"{LOOPBACK}:{node.prometheus_port}",
        }
        file = self.layout.prometheus / "prometheus.yml"
        file.write_text(
            json.dumps(configuration(self.layout, targets) | {"global": {"scrape_interval": "1s"}})
        )
        self.prometheus = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={self.layout.prometheus}/data",
                f"--web.listen-address={LOOPBACK}:{prometheus}",
                "--log.level=warn",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.endpoints = {
            "gateway": f"http://{LOOPBACK}:{port}",
            "token": TOKEN,
            "prometheus": f"http://{LOOPBACK}:{prometheus}",
            "amqp": url,
            "workers": [f"http://{LOOPBACK}:{self.worker.probe}/metrics"],
        }
        self.write(**self.endpoints)
        register = Register(self.layout.processes)
        for name, process in (
            ("gateway", self.gateway.process),
            ("prometheus", self.prometheus),
            ("worker-1", self.worker.process),
        ):
            register.add(name, process.pid)

    def write(self, **endpoints: object) -> None:
        self.layout.endpoints.write_text(json.dumps(endpoints))

    def find(self, what: str, *expected: tuple[str, str]) -> list[AreaFinding]:
        """Look until these are among what is wrong: the gateway and Prometheus notice in their own time."""
        found: list[AreaFinding] = []

        def all_there() -> bool:
            found[:] = looked(self.layout)
            return set(expected) <= failed(found)

        eventually(what, all_there, 30)
        return found


@pytest.fixture
def system(
    tmp_path: Path,
    start: StartService,
    shared_rabbitmq: RabbitMQNode,
    rabbitmq: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SmallSystem]:
    require("prometheus")
    # The suite's services work in the real checkout; those of `make up` in its own.
    monkeypatch.setattr("cli.survivors._works_in", lambda _checkout, _pid: True)
    small = SmallSystem(tmp_path, start, shared_rabbitmq, rabbitmq)
    try:
        small.gateway.ready()
        small.worker.ready()
        with lock.acquire(small.layout.lock):
            yield small
    finally:
        small.prometheus.kill()
        small.prometheus.wait()


def test_each_fault_of_a_system_is_named_with_what_to_do(
    system: SmallSystem, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    def well() -> bool:
        return failed(looked(system.layout)) == set()

    eventually("all is well", well, 20)

    limit = shared_rabbitmq.ctl("eval", "rabbit_disk_monitor:get_disk_free_limit().").strip()
    shared_rabbitmq.ctl("set_disk_free_limit", "900000GB")
    try:
        found = system.find("no room on the broker's disk", ("broker", "disk alarm"))
        assert "its limit is" in said(found, "broker", "disk alarm").found
        assert "make room" in said(found, "broker", "disk alarm").todo
    finally:
        shared_rabbitmq.ctl("set_disk_free_limit", limit)

    user = rabbitmq.replace("://framefleet:", "://framefleet:wrong")
    system.write(**system.endpoints | {"amqp": user})
    found = system.find("a wrong password", ("broker", "connection"), ("queues", "queues"))
    assert "the broker refused the user name or password" in said(found, "broker", "connection").found
    assert not any(user.split("@")[0].rpartition(":")[2] in str(each) for each in found)
    system.write(**system.endpoints | {"token": "another-gateway-s-token"})
    assert ("gateway", "token") in failed(looked(system.layout))
    system.write(**system.endpoints)

    os.kill(system.worker.process.pid, signal.SIGSTOP)
    found = system.find("a frozen worker", ("processes", "worker-1"), ("workers", "cv-worker"))
    assert f"kill -CONT {system.worker.process.pid}" in said(found, "processes", "worker-1").todo
    assert "has not answered within" in said(found, "workers", "cv-worker").found
    system.worker.kill()
    found = system.find(
        "a worker is gone",
        ("processes", "worker-1"),
        ("ports", "worker-1"),
        ("workers", "running"),
        ("prometheus", "target cv-worker"),
    )
    waiting = said(found, "queues", "frame_queue").found  # the canary's frame, if there was time for one
    assert waiting in ("no worker consumes it", "no worker takes what waits in it: 1 message")

    os.kill(system.prometheus.pid, signal.SIGSTOP)
    found = system.find("a frozen Prometheus", ("prometheus", "answer"), ("versions", "services"))
    assert "has not answered within 3 s" in said(found, "prometheus", "answer").found
    system.prometheus.kill()
    system.prometheus.wait()
    found = system.find("Prometheus is gone", ("prometheus", "answer"), ("gateway", "alerts"))
    assert "nobody listens there" in said(found, "prometheus", "answer").found

    system.gateway.kill()
    found = system.find("the gateway is gone", ("gateway", "answer"), ("queues", "result_queue"))
    assert [each.area for each in found if "this check itself failed" in each.found] == []


async def test_a_queue_with_other_arguments_and_a_broker_without_ours(rabbitmq: str) -> None:
    alone = await framefleet(rabbitmq, "doctor", "--json")
    report = json.loads(alone.out)
    assert (alone.status, report["failed"]) == (1, True)
    assert "is this the right broker" in next(
        each["todo"] for each in report["findings"] if each["area"] == "queues"
    )
    async with session([rabbitmq], "test") as asking, asking.channel() as channel:
        await channel.declare(Queue("frame_queue", {"x-max-length": 7}))
    foreign = await framefleet(rabbitmq, "doctor")
    assert (foreign.status, foreign.err) == (1, "")
    assert "x-queue-type is not set, should be quorum" in foreign.out
    assert "-> framefleet queues upgrade" in foreign.out
    assert rabbitmq.split("@")[0].rpartition(":")[2] not in alone.out + foreign.out  # the password


async def test_an_address_that_leads_elsewhere_is_named(shared_rabbitmq: RabbitMQNode, rabbitmq: str) -> None:
    node = shared_rabbitmq
    wrong = {
        rabbitmq.rpartition("/")[0] + "/nowhere": "no such virtual host",
        rabbitmq.replace("amqp://", "amqps://"): "TLS could not be agreed on",
        rabbitmq.replace(f":{node.amqp_port}/", f":{node.prometheus_port}/"): "does not answer within 2 s",
        rabbitmq.replace(f":{node.amqp_port}/", f":{free_port()}/"): "connection refused",
        rabbitmq.replace("127.0.0.1", "nowhere.invalid"): "the name of the host is not known",
    }
    findings = Findings("broker")
    place = Place(Layout(), urls=tuple(wrong))
    await asyncio.to_thread(broker.check, place, findings)
    told = [each.found for each in findings.all if each.name == "connection"]
    assert [why for why in wrong.values() if not any(why in each for each in told)] == []
    assert not any(node.password in str(each) for each in findings.all)


@contextlib.asynccontextmanager
async def speaking(words: bytes, pause: float | None = None) -> AsyncIterator[int]:
    """The port of a program that says that to whoever comes, once or again and again; then it is silent."""
    clients: set[asyncio.Task[None]] = set()

    async def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        with contextlib.suppress(asyncio.CancelledError, OSError):
            while True:
                writer.write(words)
                await writer.drain()
                await asyncio.sleep(3600 if pause is None else pause)
        writer.transport.abort()

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def among(root: Path, port: int) -> list[AreaFinding]:
    """Look at a system all of whose addresses are that port."""
    layout = layout_of(root)
    url = f"http://{LOOPBACK}:{port}"
    ends = {"gateway": url, "prometheus": url, "token": TOKEN, "workers": [f"{url}/metrics"]}
    layout.endpoints.write_text(json.dumps({**ends, "amqp": f"amqp://u:secret@{LOOPBACK}:{port}/"}))
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
        for name in ("rabbitmq", "producer")
    ]
    (layout.prometheus / "prometheus.yml").write_text(json.dumps({"scrape_configs": jobs}))
    with lock.acquire(layout.lock):
        found = await asyncio.to_thread(looked, layout)
    assert {
        ("broker", "connection"),
        ("gateway", "answer"),
        ("prometheus", "answer"),
        ("workers", "producer"),
    } <= failed(found)
    assert not any("this check itself failed" in each.found or "secret" in str(each) for each in found)
    return found


@pytest.mark.parametrize(
    ("words", "pause", "why"),
    [
        (b"220 mail.example ESMTP\r\n", None, "answers, but not in HTTP"),
        (b"", None, "has not answered within 3 s"),
        (b"H", 0.5, "has not answered within 3 s"),
        (b"HTTP/1.1 200 OK\r\n", 0.5, "has not answered within 3 s"),
        (ENDLESS, 0.01, "answers with more than|has not answered within 3 s"),
        (b"HTTP/1.1 99999 \x1b[2J\r\n\r\n", None, "not in HTTP"),
    ],
    ids=["mail", "silence", "a letter now and then", "a line now and then", "no end", "no HTTP"],
)
async def test_whatever_else_listens_there_is_named_in_time(
    words: bytes, pause: float | None, why: str, tmp_path: Path
) -> None:
    async with speaking(words, pause) as port:
        found = await among(tmp_path, port)
    assert any(part in said(found, "gateway", "answer").found for part in why.split("|"))


@pytest.mark.parametrize(
    ("answer", "why"),
    [(HTML, "not as expected (status 200): <html>"), (JSON, "is not a gateway"), (HUGE, "more than 4 MiB")],
    ids=["html", "json", "huge"],
)
async def test_another_web_server_is_named(answer: bytes, why: str, tmp_path: Path) -> None:
    async with raw_camera(answer, manner="closes") as other:
        found = await among(tmp_path, int(other.url.split(":")[2].split("/")[0]))
    assert why in said(found, "gateway", "answer").found


async def test_tls_where_none_was_expected_is_named(tmp_path: Path) -> None:
    require("openssl")
    context, _ = self_signed(tmp_path)
    async with raw_camera(JSON, context=context) as other:
        found = await among(tmp_path, int(other.url.split(":")[2].split("/")[0]))
        strict = Findings("certificates")
        url = other.url.split("/x.jpg")[0]
        await asyncio.to_thread(certificates.check, Place(Layout(), prometheus=url), strict)
    assert "https://" in said(found, "gateway", "answer").found
    assert "refused: self-signed certificate" in strict.all[0].found


async def test_a_clock_that_is_an_hour_off_is_named(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}"
    async with raw_camera(head, manner="closes") as other:
        found = await among(tmp_path, int(other.url.split(":")[2].split("/")[0]))
    assert "behind ours" in said(found, "clocks", "gateway").found
    assert "timedatectl" in said(found, "clocks", "prometheus").todo
