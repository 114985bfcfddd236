"""The twelve faults: what is done to the system, what undoes it, and the alert that is meant for it."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import numpy as np
import websockets

from broker import Message
from contract.task import Task, TaskForm, encode_task
from contract.topology import DEAD_LETTER_QUEUE, Lane
from tests.faults.drill.system import System
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.images import jpeg

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SILENT_VIEWERS, STALLED_SECONDS = 20, 40.0
CAMERAS = "producer-1-1,producer-1-2,producer-2-1,producer-2-2"
HOUR = 3600.0

Act = Callable[[System], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`alert` must fire first, within `seconds`; None: without Prometheus no alert can, and the page must say so."""

    name: str
    alert: str | None
    act: Act
    seconds: float = 180.0


@asynccontextmanager
async def workers_stopped(system: System) -> AsyncIterator[None]:
    names = ("worker-1", "worker-2")
    for name in names:
        await asyncio.to_thread(system.end, name)
    yield
    for name in names:
        service = system.begin(name)
        await asyncio.to_thread(service.ready, 60)


@asynccontextmanager
async def producer_killed(system: System) -> AsyncIterator[None]:
    await asyncio.to_thread(system.end, "producer-2", kill=True)
    yield
    await asyncio.to_thread(system.begin("producer-2").ready, 60)


@asynccontextmanager
async def camera_frozen(system: System) -> AsyncIterator[None]:
    system.camera.frozen = True
    yield
    system.camera.frozen = False


@asynccontextmanager
async def queue_filled(system: System) -> AsyncIterator[None]:
    """Nobody takes the GPU lane's frames; at the end a worker comes for them, as the runbook says."""
    picture = jpeg(np.zeros((48, 64, 3), np.uint8))
    async with bus(system.cluster.urls[0]) as sender:
        for _ in range(9):
            await asyncio.gather(*(_send(sender, picture, Lane.GPU) for _ in range(500)))
    yield
    worker = f"worker-{Lane.GPU}"
    await asyncio.to_thread(system.begin(worker).ready, 60)
    await asyncio.to_thread(eventually, "the lane is empty", lambda: _is_empty(system, Lane.GPU.queue), 240)
    await asyncio.to_thread(system.end, worker)


@asynccontextmanager
async def poison_frames(system: System) -> AsyncIterator[None]:
    async with _sending(system, b"\xff\xd8\xff" + os.urandom(200), 5.0):
        yield
    await asyncio.sleep(2)  # the last ones are still on their way
    await _purge(system, DEAD_LETTER_QUEUE)


@asynccontextmanager
async def prometheus_killed(system: System) -> AsyncIterator[None]:
    await asyncio.to_thread(system.kill_prometheus)
    yield
    await asyncio.to_thread(system.start_prometheus)


@asynccontextmanager
async def blind_detector(system: System) -> AsyncIterator[None]:
    await _switch(system, "blind")
    yield
    await _switch(system, "default")


@asynccontextmanager
async def history_disk_full(system: System) -> AsyncIterator[None]:
    filler = system.data / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(1 << 16))
    yield
    filler.unlink()


@asynccontextmanager
async def stalled_viewers(system: System) -> AsyncIterator[None]:
    """Viewers that ask for every picture, and read none; who is dropped comes again."""
    viewers = [asyncio.create_task(_stall(system.gateway)) for _ in range(SILENT_VIEWERS)]
    yield
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)


@asynccontextmanager
async def memory_alarm(system: System) -> AsyncIterator[None]:
    await _watermark(system, "0.0001")
    yield
    await _watermark(system, "0.4")


@asynccontextmanager
async def clock_skew(system: System) -> AsyncIterator[None]:
    async with _sending(system, jpeg(np.zeros((48, 64, 3), np.uint8)), 2.0, ahead=HOUR):
        yield


@asynccontextmanager
async def broker_node_lost(system: System) -> AsyncIterator[None]:
    node = list(system.cluster.nodes.values())[-1]
    await asyncio.to_thread(node.kill)
    yield
    await asyncio.to_thread(system.cluster.start)


FAULTS = (
    Fault("the workers are stopped", "FramefleetNoWorkers", workers_stopped),
    Fault("a producer is killed", "FramefleetCameraServedByNobody", producer_killed),
    Fault("a camera is frozen", "FramefleetCameraDefect", camera_frozen, 300),
    Fault("a queue is filled", "FramefleetQueueNearlyFull", queue_filled),
    Fault("poison frames", "FramefleetDeadLetters", poison_frames),
    Fault("the detector is blind", "FramefleetCanaryFailing", blind_detector),
    Fault("Prometheus is killed", None, prometheus_killed),
    Fault("the history's disk is full", "FramefleetHistoryNotWritten", history_disk_full, 240),
    Fault("viewers stall", "FramefleetViewersLagging", stalled_viewers, 240),
    Fault("the broker's memory alarm", "FramefleetBrokerMemoryAlarm", memory_alarm),
    Fault("a sender's clock is an hour ahead", "FramefleetClockSkew", clock_skew, 240),
    Fault("a broker node is lost", "FramefleetBrokerDown", broker_node_lost, 240),
)


async def _send(sender: Bus, image: bytes, lane: Lane = Lane.LIVE, ahead: float = 0.0) -> None:
    task = encode_task(
        Task(image=image, timestamp=time.time() + ahead, camera_id="drill", frame_id=f"drill:{uuid4()}"),
        TaskForm.COMPACT,
    )
    await sender.publish(Message("", lane.queue, task.body, task.content_type, task.headers))


@asynccontextmanager
async def _sending(
    system: System, image: bytes, per_second: float, *, ahead: float = 0.0
) -> AsyncIterator[None]:
    """Send that picture all the time, as a plain client."""

    async def send_on() -> None:
        while True:
            await _send(sender, image, ahead=ahead)
            await asyncio.sleep(1 / per_second)

    async with bus(system.cluster.urls[0]) as sender:
        task = asyncio.create_task(send_on())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _is_empty(system: System, queue: str) -> bool:
    node = next(iter(system.cluster.nodes.values()))
    listed = node.ctl("list_queues", "--silent", "name", "messages")
    return [queue, "0"] in [line.split() for line in listed.splitlines()]


async def _purge(system: System, queue: str) -> None:
    node = next(iter(system.cluster.nodes.values()))
    await asyncio.to_thread(node.ctl, "purge_queue", queue)


async def _watermark(system: System, share: str) -> None:
    node = next(iter(system.cluster.nodes.values()))
    await asyncio.to_thread(node.ctl, "set_vm_memory_high_watermark", share)


async def _switch(system: System, model: str) -> None:
    async with (
        aiohttp.ClientSession(headers=HEADERS) as http,
        http.post(f"{system.gateway}/api/models/switch?model={model}") as answer,
    ):
        assert answer.status < 300, await answer.text()


async def _stall(gateway: str) -> None:
    url = f"{gateway.replace('http', 'ws', 1)}/ws/results?frames=1&cameras={CAMERAS}"
    while True:
        with contextlib.suppress(websockets.WebSocketException, OSError, TimeoutError):
            async with websockets.connect(
                url,
                additional_headers=HEADERS,
                max_queue=1,
                max_size=None,
                compression=None,
                close_timeout=0.1,
            ):
                await asyncio.sleep(STALLED_SECONDS)  # longer than the gateway's patience
        await asyncio.sleep(1)
