"""What a gateway says to the wall, recorded: the cluster's part of `bench.wall`, which then needs no cluster.

A gateway is composed without a broker. Status messages, results and pictures enter it where AMQP deliveries do, the
pictures from footage and the boxes from a detector; a viewer of the page's sub-protocol records what comes out.
"""

import asyncio
import json
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.candidates import candidates
from contract.browser import DASHBOARD_PROTOCOL
from contract.result import DetectedObject, Result, encode_result
from contract.status import CameraLabels, CameraReport, CamerasStatus, NodeStatus, ProducerStatus
from gateway.live.pictures import ReceivedPicture, show_picture
from gateway.live.results import parse_received
from gateway.metrics import GatewayMetrics
from gateway.service import Gateway, compose
from gateway.settings import GatewaySettings
from runtime.files import allow_many_files
from runtime.logs import configure_logs
from worker.processor import objects

NO_BROKER = "amqp://nobody:nothing@127.0.0.1:1/"
PRODUCER = "producer-1"
SECONDS = 8.0
BEAT_SECONDS = 2.0
RATE = 150.0
SHOWN = 30
"""Cameras whose pictures the recording viewer asks for."""
GROUPS = ("harbour", "north gate", "car park", "lobby", "warehouse")
PATHS = (
    "/wall",
    "/api/metrics",
    "/api/metrics/history?seconds=900",
    "/api/alerts",
    "/api/objectives",
    "/api/nodes",
    "/api/models/available",
    "/api/session",
)


@dataclass(frozen=True)
class Answer:
    """What the gateway answered to one question of the page."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Recording:
    """All of it: `texts` with the seconds since the beginning, `pictures` as the result and the JPEG."""

    texts: list[tuple[float, dict[str, Any]]]
    pictures: list[tuple[dict[str, Any], bytes]]
    answers: dict[str, Answer]


def camera_name(number: int) -> str:
    """Of one of the cameras."""
    return f"cam-{number:04d}"


def detected(images: list[bytes], detector: str) -> list[tuple[bytes, list[DetectedObject]]]:
    """Each picture with what the detector finds in it."""
    (candidate,) = candidates([detector])
    return [(image, objects(candidate.detect(image))) for image in images]


def record(images: list[bytes], *, cameras: int, offline: int, detector: str) -> Recording:
    """Record a gateway with that many cameras, of which `offline` are offline."""
    shown = detected(images, detector)
    configure_logs("bench", "critical")  # nobody needs to hear that there is no broker
    allow_many_files()
    return asyncio.run(_record(shown, cameras, offline))


async def _record(shown: list[tuple[bytes, list[DetectedObject]]], cameras: int, offline: int) -> Recording:
    with tempfile.TemporaryDirectory() as folder:
        settings = GatewaySettings(
            amqp_url=NO_BROKER, port=0, metrics_port=0, auth="off", data_dir=Path(folder), print_link=False
        )
        async with compose(settings, metrics=GatewayMetrics(CollectorRegistry())) as gateway:
            serving = asyncio.create_task(gateway.serve())
            while not gateway.serving:
                await asyncio.sleep(0.01)
            feeding = asyncio.create_task(_feed(gateway, shown, cameras, offline))
            try:
                texts, pictures = await _listen(gateway.port)
                answers = await _answers(gateway.port)
            finally:
                feeding.cancel()
                gateway.stop()
                await serving
    if not pictures:
        raise RuntimeError("the gateway sent no picture: nothing is recorded")
    return Recording(texts, pictures, answers)


async def _listen(port: int) -> tuple[list[tuple[float, dict[str, Any]]], list[tuple[dict[str, Any], bytes]]]:
    texts: list[tuple[float, dict[str, Any]]] = []
    pictures: list[tuple[dict[str, Any], bytes]] = []
    async with connect(
        f"ws://127.0.0.1:{port}/ws/results", subprotocols=[Subprotocol(DASHBOARD_PROTOCOL)], max_size=None
    ) as socket:
        names = [camera_name(number) for number in range(SHOWN)]
        await socket.send(json.dumps({"type": "subscribe", "cameras": names, "pictures": names}))
        began = time.monotonic()
        while (left := began + SECONDS - time.monotonic()) > 0:
            message = await _next(socket, left)
            if isinstance(message, str):
                texts.append((time.monotonic() - began, json.loads(message)))
            elif message is not None:
                (length,) = struct.unpack_from(">I", message)
                pictures.append((json.loads(message[4 : 4 + length]), message[4 + length :]))
    return texts, pictures


async def _next(socket: ClientConnection, seconds: float) -> str | bytes | None:
    try:
        return await asyncio.wait_for(socket.recv(), seconds)
    except TimeoutError:
        return None


async def _answers(port: int) -> dict[str, Answer]:
    found = {}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in PATHS:
            async with session.get(path, headers={"Accept": "text/html,*/*"}) as answer:
                kept = {
                    name: value
                    for name, value in answer.headers.items()
                    if name.lower() in ("content-type", "content-security-policy")
                }
                found[path.partition("?")[0]] = Answer(answer.status, kept, await answer.read())
    return found


async def _feed(
    gateway: Gateway, shown: list[tuple[bytes, list[DetectedObject]]], cameras: int, offline: int
) -> None:
    began, number, beaten = time.monotonic(), 0, 0.0
    since = time.time()
    while True:
        now, wall = time.monotonic(), time.time()
        if now - beaten >= BEAT_SECONDS:
            beaten = now
            _beat(gateway, cameras, offline, since, number, now, wall)
        image, found = shown[number % len(shown)]
        result = Result(
            timestamp=wall,
            original_timestamp=wall - 0.08,
            node_id="worker-1",
            detections=found,
            camera_id=camera_name(number % SHOWN),
            frame_id=f"{camera_name(number % SHOWN)}:{number}",
            width=640,
            height=480,
            model="yunet@ebafce4e",
            status="ok",
            processing_seconds=0.0041,
            queue_seconds=0.0312,
        )
        received = parse_received(encode_result(result))
        show_picture(gateway.hub, ReceivedPicture(received, image, "image/jpeg"))
        gateway.results.take(received)
        number += 1
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))


def _beat(
    gateway: Gateway, cameras: int, offline: int, since: float, number: int, now: float, wall: float
) -> None:
    reports = [
        CameraReport(
            camera_id=camera_name(each),
            state="offline" if each % 331 == 7 and each // 331 < offline else "live",
            reason="connection refused" if each % 331 == 7 and each // 331 < offline else None,
            since=since,
            fps=4.9 + (number + each) % 3 / 10,
            sent=number,
            labels=CameraLabels(group=GROUPS[each % len(GROUPS)]),
        )
        for each in range(cameras)
    ]
    gateway.cameras.heard_producer(
        ProducerStatus(
            producer_id=PRODUCER,
            state="running",
            cameras=cameras,
            outstanding=0,
            window=8,
            since=since,
            time=wall,
            version="0",
        ),
        now,
        wall,
    )
    gateway.cameras.heard_cameras(
        CamerasStatus(producer_id=PRODUCER, producer_since=since, time=wall, cameras=reports), now, wall
    )
    for node in ("worker-1", "worker-2"):
        gateway.nodes.heard(
            NodeStatus(
                node_id=node,
                state="running",
                lane="frame_queue",
                model="yunet@ebafce4e",
                detector="yunet",
                fallback=None,
                prefetch=1,
                fps=75.0,
                busy=0.6,
                processed=number,
                failed=0,
                since=since,
                time=wall,
                version="0",
            ),
            now,
            wall,
        )
