"""Services that may open 256 files and no more, and clients that want all of them."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.ports import free_port
from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.http_camera import http_camera
from tests.helpers.processes import Service

pytestmark = pytest.mark.integration

FILES = 256


def limited(service: Service) -> Service:
    """With that hard limit from before it looks."""
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    return service.ready()


def open_files(service: Service) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def cpu_seconds(service: Service) -> float:
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def crowd(port: int, number: int, words: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections that say no more than that."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            opened.append(client)
        for client in opened:
            with contextlib.suppress(OSError):
                client.send(words)
        yield opened


def test_a_gateway_keeps_files_for_its_own_work(rabbitmq: str, start: StartService, tmp_path: Path) -> None:
    port = free_port()
    gateway = limited(
        start(
            "gateway",
            AMQP_URL=rabbitmq,
            GATEWAY_PORT=str(port),
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(tmp_path / "data"),
        )
    )
    assert "fewer connections than GATEWAY_MAX_CONNECTIONS" in gateway.log.read_text()
    viewer = (
        "GET /ws/results HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    ).encode()
    with crowd(port, 600, viewer):
        eventually("it is full", lambda: gateway.metric("gateway_clients") >= 100, 30)
        eventually(
            "others are told", lambda: gateway.metric('gateway_refused_total{reason="connections"}') > 0, 30
        )
        assert gateway.get("/readyz")[0] == 200
        assert open_files(gateway) < FILES
    eventually("they are gone", lambda: gateway.metric("gateway_clients") == 0, 30)
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    log = gateway.log.read_text()
    assert len(log.splitlines()) < 200, log[-2000:]
    assert "Too many open files" not in log


@pytest.mark.parametrize("name", ["worker", "producer"])
def test_who_holds_the_probe_port_takes_nothing_from_a_service(
    name: str, rabbitmq: str, start: StartService
) -> None:
    service = limited(start(name, AMQP_URL=rabbitmq, WORKER_DETECTOR="haar", SOURCE="demo:1"))
    assert "Umask:\t0077\n" in Path(f"/proc/{service.process.pid}/status").read_text()
    before = cpu_seconds(service)
    quiet = open_files(service)
    with crowd(service.probe, 100) as clients:
        eventually(
            "those that are too many are closed", lambda: sum(ended(each) for each in clients) > 50, 30
        )
        assert open_files(service) <= quiet + 20
        eventually("it answers although they stay", lambda: service.get("/readyz")[0] == 200, 30)
    assert cpu_seconds(service) - before < 10
    assert len(service.log.read_text().splitlines()) < 100


async def test_a_producer_of_two_hundred_streams_keeps_its_broker(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: StartService, tmp_path: Path
) -> None:
    async with http_camera() as camera:
        file = tmp_path / "cameras.yaml"
        rows = (f"  - id: cam-{n}\n    source: {camera.url}/burst/1?{n}\n" for n in range(200))
        file.write_text("cameras:\n" + "".join(rows))
        producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file), PRODUCER_FPS="0.2")
        resource.prlimit(producer.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))

        def is_up() -> bool:
            return producer.get("/readyz")[0] == 200

        def metric(line: str) -> float:
            return producer.metric(line)

        await asyncio.to_thread(eventually, "it is ready", is_up, 30)
        errors = 'producer_camera_errors_total{camera_id="cam-%d",reason="no_files"}'
        await asyncio.to_thread(
            eventually, "some get no connection", lambda: any(metric(errors % n) for n in range(200)), 60
        )
        assert open_files(producer) < FILES
        vhost = rabbitmq.rpartition("/")[2]
        ctl = ("close_all_connections", "-p", vhost, "the test")
        await asyncio.to_thread(shared_rabbitmq.ctl, *ctl)
        lost = "broker unreachable"
        await asyncio.to_thread(eventually, "it is lost", lambda: lost in producer.log.read_text(), 30)
        await asyncio.to_thread(eventually, "it is back", is_up, 30)
        assert "Too many open files" not in producer.log.read_text()


def ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
