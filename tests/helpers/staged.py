"""Producers and a worker that only say what a test tells them to, on a real broker."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Thread
from typing import Any

import msgspec

from broker import Consumer, Delivery, Message
from contract.result import DetectedObject, Result, encode_result
from contract.status import (
    CameraReport,
    CamerasStatus,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    encode_status,
    kept_routing_key,
    parse_control,
    status_routing_key,
)
from contract.topology import (
    CONTROL_EXCHANGE,
    RESULTS_EXCHANGE,
    STATUS_EXCHANGE,
    WATCH_EXCHANGE,
    EphemeralQueue,
)
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually

BEAT_SECONDS = 0.5  # four times as often as real ones, so that tests need not wait


FACE = DetectedObject(x=9, y=9, w=30, h=40, confidence=0.9, label="face")


class Staged:
    """Runs on a thread of its own until `close`. `serving`: what each producer says of its cameras."""

    def __init__(self, url: str) -> None:
        self.serving: dict[str, list[CameraReport]] = {}
        self.skipping: set[str] = set()
        """Cameras whose producer leaves out a frame that shows nothing new, at each heartbeat."""
        self.removed: list[str] = []
        """Cameras that producers say were taken out of their files."""
        self._since = time.time()
        self._pictures: dict[str, Message] = {}  # by frame: a gateway may ask for it
        self._asked: asyncio.Queue[Message] = asyncio.Queue()
        self._beats = 0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._open: Future[Bus] = Future()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._run(url),))
        self._thread.start()
        self._bus = self._open.result(20)

    def camera(self, camera_id: str, state: Any = "live", **fields: Any) -> CameraReport:
        """One camera's part of a heartbeat."""
        return CameraReport(**{"camera_id": camera_id, "state": state, "since": self._since, **fields})

    def picture(
        self,
        camera_id: str,
        jpeg: bytes,
        width: int,
        height: int,
        detections: Sequence[DetectedObject] = (FACE,),
    ) -> str:
        """A frame captured just now, computed: its result, its picture for who watches, and for its event. Its id."""
        now = time.time()
        result = Result(
            timestamp=now,
            original_timestamp=now - 0.05,
            node_id="staged-1",
            detections=list(detections),
            camera_id=camera_id,
            frame_id=f"{camera_id}:{now}",
            width=width,
            height=height,
            model="none@0",
            status="ok",
            processing_seconds=0.01,
            queue_seconds=0.02,
        )
        body = encode_result(result)
        headers = {"result": body.decode()}
        self._do(self._send(Message(RESULTS_EXCHANGE, camera_id, body, mandatory=False)))
        shown = Message(
            WATCH_EXCHANGE,
            camera_id,
            jpeg,
            content_type="image/jpeg",
            headers=headers,
            persistent=False,
            mandatory=False,
        )
        self._pictures[result.frame_id] = shown
        self._do(self._send(shown))
        return result.frame_id

    def seen(self, camera_id: str, when: float, faces: int, confidence: float = 0.9) -> None:
        """A result whose frame was captured at `when` (Unix seconds), without its picture."""
        result = Result(
            timestamp=when + 0.05,
            original_timestamp=when,
            node_id="staged-1",
            detections=[
                DetectedObject(x=9 + 50 * n, y=9, w=30, h=40, confidence=confidence, label="face")
                for n in range(faces)
            ],
            camera_id=camera_id,
            frame_id=f"{camera_id}:{when}",
            width=640,
            height=480,
            model="none@0",
            status="ok",
            processing_seconds=0.01,
            queue_seconds=0.02,
        )
        self._do(self._send(Message(RESULTS_EXCHANGE, camera_id, encode_result(result), mandatory=False)))

    def close(self) -> None:
        """Fall silent, as one that was killed."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._loop.close()

    async def _run(self, url: str) -> None:
        control = Consumer(EphemeralQueue(((CONTROL_EXCHANGE, ""),)), self._hear, no_ack=True)
        async with bus(url, control) as opened:
            await aeventually("it hears gateways", lambda: control.subscribed)
            self._open.set_result(opened)
            while not self._stop.is_set():
                await self._beat()
                while not self._asked.empty():
                    await self._send(self._asked.get_nowait())
                try:
                    await asyncio.wait_for(self._stop.wait(), BEAT_SECONDS)
                except TimeoutError:
                    continue

    def _hear(self, delivery: Delivery) -> None:
        said = parse_control(delivery.body)
        if isinstance(said, WatchAnnouncement):
            for shown in map(self._pictures.get, said.frames):
                if shown is not None:
                    self._asked.put_nowait(replace(shown, routing_key=kept_routing_key(said.gateway_id)))

    async def _beat(self) -> None:
        self._beats += 1
        for name, reports in list(self.serving.items()):
            now = time.time()
            counted = [
                msgspec.structs.replace(each, skipped=self._beats if each.camera_id in self.skipping else 0)
                for each in reports
            ]
            producer = ProducerStatus(
                producer_id=name,
                state="running",
                cameras=len(reports),
                outstanding=0,
                window=1,
                since=self._since,
                time=now,
                version="0",
                offer="staged",
            )
            cameras = CamerasStatus(
                producer_id=name, producer_since=self._since, time=now, cameras=counted, removed=self.removed
            )
            for status in (producer, cameras):
                await self._status(status)

    async def _status(self, status: Status) -> None:
        body = encode_status(status)
        await self._send(
            Message(STATUS_EXCHANGE, status_routing_key(status), body, persistent=False, mandatory=False)
        )

    async def _send(self, message: Message) -> None:
        await self._bus.publish(message)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)
