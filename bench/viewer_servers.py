"""The servers that `bench.viewers` compares: a gateway, and the loop that tutorials show, both over uvicorn.

Each is a process of its own. It gets results as they come from AMQP, bytes of JSON, at an even pace and on its own
event loop. A result carries the time at which it was due (`stamp`, CLOCK_MONOTONIC): whoever falls behind is late.
"""

import asyncio
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from prometheus_client import CollectorRegistry

from contract.result import DetectedObject, Result, encode_result
from gateway.live.results import parse_received
from gateway.metrics import GatewayMetrics
from gateway.service import compose
from gateway.settings import GatewaySettings
from runtime.files import allow_many_files
from runtime.logs import configure_logs

HOST = "127.0.0.1"
NO_BROKER = "amqp://nobody:nothing@127.0.0.1:1/"
CAMERAS = 50
FACES = 2
START_SECONDS = 20

Take = Callable[[bytes], Awaitable[None]]


def _template(camera: int) -> tuple[bytes, ...]:
    """A result as a worker writes it, in pieces: capture time, frame number and stamp go between them."""
    faces = [
        DetectedObject(
            x=200 + 31 * n,
            y=80,
            w=96,
            h=121,
            confidence=0.93,
            label="face",
            landmarks=[(235, 120), (281, 118), (258, 146), (240, 172), (279, 170)],
        )
        for n in range(FACES)
    ]
    result = Result(
        timestamp=1795216000.201,
        original_timestamp=1795216000.123,
        node_id="worker-1",
        detections=faces,
        camera_id=f"camera-{camera}",
        frame_id=f"camera-{camera}:1795210000:4711",
        width=640,
        height=480,
        model="yunet@ebafce4e",
        status="ok",
        processing_seconds=0.0041,
        queue_seconds=0.0312,
    )
    encoded = encode_result(result)[:-1] + b',"stamp":'
    first, rest = encoded.split(b"1795216000.201")
    second, rest = rest.split(b"1795216000.123")
    third, last = rest.split(b"4711")
    return first, second, third, last


TEMPLATES = [_template(camera) for camera in range(CAMERAS)]


def body(number: int, stamp: float) -> bytes:
    """The next result; cheap to make, so that the making does not hide what is compared."""
    first, second, third, last = TEMPLATES[number % CAMERAS]
    now = b"%.3f" % time.time()
    return b"".join((first, now, second, now, third, b"%d" % number, last, b"%.6f}" % stamp))


async def feed(take: Take, rate: float, begin: asyncio.Event) -> None:
    """Hand over `rate` results a second from `begin` on, whatever the taking costs: none is left out."""
    await begin.wait()
    first, number = time.monotonic(), 0
    while True:
        due = first + number / rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        await take(body(number, due))
        number += 1


def begin_when_told(told: Connection) -> asyncio.Event:
    """An event that is set when the other side says so."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()

    def listen() -> None:
        told.recv()
        loop.call_soon_threadsafe(event.set)

    threading.Thread(target=listen, daemon=True).start()
    return event


# --- the plain loop -------------------------------------------------------------------------------------


class PlainLoop:
    """What a tutorial shows: a list of clients, and each result sent to one after the other."""

    def __init__(self) -> None:
        self.clients: list[WebSocket] = []
        self.app = FastAPI()
        self.app.add_api_websocket_route("/ws/results", self.results)

    async def results(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.clients.append(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            self.clients.remove(websocket)

    async def broadcast(self, message: bytes) -> None:
        result = json.loads(message)
        for client in list(self.clients):
            await client.send_json(result)


async def serve_plain_loop(told: Connection, rate: float) -> None:
    plain = PlainLoop()
    server = uvicorn.Server(uvicorn.Config(plain.app, host=HOST, port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    told.send(server.servers[0].sockets[0].getsockname()[1])
    with suppress(WebSocketDisconnect):  # a viewer that went away while it was sent to: the loop's end
        await asyncio.gather(serving, feed(plain.broadcast, rate, begin_when_told(told)))


# --- ours -----------------------------------------------------------------------------------------------


async def serve_gateway(told: Connection, rate: float) -> None:
    """The whole gateway, without a broker: results enter where AMQP deliveries do."""
    with tempfile.TemporaryDirectory() as folder:
        settings = GatewaySettings(
            amqp_url=NO_BROKER, port=0, metrics_port=0, auth="off", data_dir=Path(folder), print_link=False
        )
        async with compose(settings, metrics=GatewayMetrics(CollectorRegistry())) as gateway:
            serving = asyncio.create_task(gateway.serve())
            while not gateway.serving:
                await asyncio.sleep(0.01)
            told.send(gateway.port)

            async def take(message: bytes) -> None:
                gateway.results.take(parse_received(message))

            await asyncio.gather(serving, feed(take, rate, begin_when_told(told)))


SERVERS: dict[str, Callable[[Connection, float], Coroutine[Any, Any, None]]] = {
    "loop": serve_plain_loop,
    "gateway": serve_gateway,
}


def run(name: str, told: Connection, rate: float) -> None:
    """The process."""
    configure_logs(f"bench {name}", "critical")
    allow_many_files()
    asyncio.run(SERVERS[name](told, rate))


@dataclass(frozen=True)
class Server:
    """A running one."""

    port: int
    pid: int
    begin: Callable[[], None]


@contextmanager
def server(name: str, rate: float) -> Iterator[Server]:
    """Start it; it is gone at the end."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(name, theirs, rate), daemon=True)
    process.start()
    try:
        if not ours.poll(START_SECONDS):
            raise RuntimeError(f"the server {name} did not start: see above")
        port = ours.recv()
        assert process.pid is not None
        yield Server(port, process.pid, lambda: ours.send("begin"))
    finally:
        process.kill()  # with stalled clients an orderly end would take its time
        process.join()
