"""Serves the production build and replays a recorded socket to it; beside it a blank page, and a wall of MJPEG.

The replay follows the page's subscription as the gateway does: cameras whose pictures it asks for send five a second,
each with its result; of the others with a tile come results only; of the rest nothing. Times and names are made new,
else every picture would be as old as the recording.
"""

import asyncio
import json
import multiprocessing
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bench.wall_recording import Recording
from contract.browser import DASHBOARD_PROTOCOL

FPS = 5.0
BATCH_SECONDS = 0.1
"""Results without pictures go together, as the gateway's do."""
HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 8))
"""Browsers open six connections to a host: forty streams need seven."""
MJPEG_TILES = 40
START_SECONDS = 30
DIST = Path(__file__).parents[1] / "dashboard" / "dist"
BLANK = "<!doctype html><title>blank</title><body style='background:#0b0f15'></body>"


class Replay:
    """One recording, for as many pages as come. `sent` counts what went out."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._number = 0
        self.sent: Counter[str] = Counter()

    def application(self) -> web.Application:
        """All addresses."""
        app = web.Application()
        app.router.add_get("/ws/results", self._socket)
        app.router.add_get("/bench/sent", self._counted)
        app.router.add_get("/bench/blank", _page(BLANK))
        app.router.add_get("/bench/mjpeg", self._mjpeg_page)
        app.router.add_get("/bench/mjpeg/{number}", self._mjpeg)
        app.router.add_static("/assets", DIST / "assets")
        app.router.add_get("/{path:.*}", self._answer)
        return app

    async def _counted(self, _request: web.Request) -> web.Response:
        return web.json_response(dict(self.sent))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/readyz":
            return web.json_response({"status": "ready"})  # the recorded gateway had no broker
        answer = self._recording.answers.get(request.path)
        if answer is not None:
            body = answer.body
            if request.path == "/api/metrics":
                body = json.dumps(json.loads(body) | {"time": time.time()}).encode()
            return web.Response(status=answer.status, headers=answer.headers, body=body)
        file = DIST / request.path.lstrip("/")
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)

    # --- the socket ---------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(DASHBOARD_PROTOCOL,), compress=False)
        await socket.prepare(request)
        wanted: dict[str, list[str]] = {"cameras": [], "pictures": []}
        tasks = [
            asyncio.create_task(self._say(socket)),
            asyncio.create_task(self._show(socket, wanted)),
        ]
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    said = json.loads(message.data)
                    if said["type"] == "subscribe":
                        wanted["cameras"] = said["cameras"] or []
                        wanted["pictures"] = said["pictures"]
        finally:
            for task in tasks:
                task.cancel()
        return socket

    async def _say(self, socket: web.WebSocketResponse) -> None:
        """The cluster's own messages, at their pace, from the beginning again at the end."""
        first = True
        while True:
            began = time.monotonic()
            for offset, message in self._recording.texts:
                if message["type"] == "results" or (message["type"] == "hello" and not first):
                    continue
                await asyncio.sleep(max(0.0, began + offset - time.monotonic()))
                if message["type"] == "hello":
                    message = message | {"time": time.time()}
                self.sent["texts"] += 1
                await socket.send_json(message)
            first = False
            await asyncio.sleep(1.0)

    async def _show(self, socket: web.WebSocketResponse, wanted: dict[str, list[str]]) -> None:
        """Pictures of each camera in sight and results of the other tiles, evenly spread."""
        due: dict[str, float] = {}
        batch: list[dict[str, Any]] = []
        flushed = 0.0
        while True:
            now = time.monotonic()
            shown = set(wanted["pictures"])
            names = sorted(shown | set(wanted["cameras"]))
            due = {name: due.get(name, now + index / len(names) / FPS) for index, name in enumerate(names)}
            for name, when in due.items():
                if when > now:
                    continue
                due[name] = max(when + 1 / FPS, now)
                if name in shown:
                    await socket.send_bytes(self._picture(name))
                    self.sent["pictures"] += 1
                else:
                    batch.append(self._next(name)[0])
            if batch and now - flushed >= BATCH_SECONDS:
                self.sent["results"] += len(batch)
                await socket.send_json({"type": "results", "results": batch})
                batch, flushed = [], now
            await asyncio.sleep(0.005)

    def _next(self, name: str) -> tuple[dict[str, Any], bytes]:
        self._number += 1
        head, image = self._recording.pictures[self._number % len(self._recording.pictures)]
        now = time.time()
        new = {
            "camera_id": name,
            "frame_id": f"{name}:{self._number}",
            "timestamp": now,
            "original_timestamp": now - 0.08,
        }
        return head | new, image

    def _picture(self, name: str) -> bytes:
        head, image = self._next(name)
        encoded = json.dumps(head).encode()
        return struct.pack(">I", len(encoded)) + encoded + image

    # --- the other wall -----------------------------------------------------------------------------------

    async def _mjpeg_page(self, request: web.Request) -> web.Response:
        port = request.url.port
        images = "".join(
            f"<img src='http://{HOSTS[n % len(HOSTS)]}:{port}/bench/mjpeg/{n}'>" for n in range(MJPEG_TILES)
        )
        style = "body{margin:0;display:grid;grid-template-columns:repeat(7,1fr);gap:12px}img{width:100%}"
        html = f"<!doctype html><title>mjpeg</title><style>{style}</style>{images}"
        return web.Response(text=html, content_type="text/html")

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        number = int(request.match_info["number"])
        pictures = self._recording.pictures
        await asyncio.sleep(number / MJPEG_TILES / FPS)
        with suppress(ConnectionResetError, asyncio.CancelledError):
            while True:
                number += 1
                image = pictures[number % len(pictures)][1]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                await response.write(head.encode() + image + b"\r\n")
                self.sent["mjpeg"] += 1
                await asyncio.sleep(1 / FPS)
        return response


def _page(html: str) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    return answer


async def _serve(recording: Recording, told: Connection) -> None:
    runner = web.AppRunner(Replay(recording).application(), access_log=None)
    await runner.setup()
    first = web.TCPSite(runner, HOSTS[0], 0)
    await first.start()
    port = runner.addresses[0][1]
    for host in HOSTS[1:]:
        await web.TCPSite(runner, host, port).start()
    told.send(port)
    await asyncio.Event().wait()


def _run(recording: Recording, told: Connection) -> None:
    asyncio.run(_serve(recording, told))


@dataclass(frozen=True)
class Served:
    """A running one."""

    port: int
    pid: int

    def address(self, path: str) -> str:
        """Of one of its pages."""
        return f"http://{HOSTS[0]}:{self.port}{path}"


@contextmanager
def serving(recording: Recording) -> Iterator[Served]:
    """Replay it from a process of its own; it is gone at the end."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(recording, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(START_SECONDS):
            raise RuntimeError("the replaying server did not start: see above")
        assert process.pid is not None
        yield Served(ours.recv(), process.pid)
    finally:
        process.kill()
        process.join()
