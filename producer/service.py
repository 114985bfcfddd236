"""The producer: start, run until told to stop or all sources are done, stop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Literal

from broker import AsyncioLoop, Connection, Message, Publisher, split_urls
from broker.aio import publish, stop
from contract.status import HEARTBEAT_SECONDS, CameraStatus, ProducerStatus, encode_status, status_routing_key
from contract.topology import STATUS_EXCHANGE, Lane
from producer.cameras import Camera
from producer.capture import run_camera
from producer.grammar import CameraSpec
from producer.metrics import ProducerMetrics
from producer.sender import Form, Sender
from producer.settings import ProducerSettings
from producer.sources.build import build
from runtime.logs import get_logger
from runtime.version import VERSION

log: Any = get_logger("producer")

TICK_SECONDS = 0.25
DRAIN_SECONDS = 10.0  # at the end of finished sources: for the frames that still wait
CONFIRM_SECONDS = 3.0  # at a stop: for the confirms of what was sent


class Producer:
    """All cameras of one process. Construct it inside the event loop."""

    def __init__(
        self, settings: ProducerSettings, specs: Sequence[CameraSpec], metrics: ProducerMetrics
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._since = time.time()
        self._stop = asyncio.Event()
        self._fatal: str | None = None
        self._cameras = {spec.camera_id: self._camera(spec) for spec in specs}
        form = Form(
            settings.lane.queue,
            settings.form,
            settings.jpeg_quality,
            settings.model,
            settings.id,
            settings.staleness_seconds if settings.lane is Lane.LIVE else None,
        )
        self._sender = Sender(form, self._cameras, metrics)
        self._status = Publisher(window=4 * len(specs) + 100, on_ready=self._heartbeat)
        urls, loop = split_urls(settings.amqp_url), AsyncioLoop()
        name = f"producer {settings.id}"
        self._sending = Connection(
            loop, urls, f"{name} sends", [self._sender.publisher, self._status], on_fatal=self._ended
        )
        self._listening = Connection(
            loop, urls, f"{name} listens", self._sender.listeners, on_fatal=self._ended
        )
        self._sender.ensure_queue = self._sending.ensure_topology

    def missing(self) -> list[str]:
        """What is lacking to send frames. May be called from any thread."""
        return [] if self._sending.ready and self._listening.ready else ["broker"]

    def request_stop(self) -> None:
        """Ask for a clean stop; `run` then returns."""
        self._stop.set()

    async def run(self) -> int:
        """Returns the exit status: 0 stopped or finished, 1 if there is nothing (more) to be read."""
        self._sending.start()
        self._listening.start()
        async with AsyncExitStack() as stack:
            cameras = await self._open(stack)
            beat = asyncio.create_task(self._beat())
            try:
                status = await self._until_done(cameras)
            finally:
                await _cancel([*cameras, beat])
        await self._close()
        return status

    # --- start ------------------------------------------------------------------------------------------

    async def _open(self, stack: AsyncExitStack) -> list[asyncio.Task[bool]]:
        session = None
        if any(camera.spec.kind == "snapshot" for camera in self._cameras.values()):
            from producer.sources.snapshot import open_session

            session = await stack.enter_async_context(open_session())
        settings = self._settings
        sink = self._sender.deliver if settings.lossless else self._sender.offer
        tasks = []
        for camera in self._cameras.values():
            source = build(
                camera.spec,
                session,
                fps=settings.fps,
                loop=settings.end == "loop",
                paced=not settings.lossless,
            )
            run = run_camera(camera, source, sink, self._metrics)
            tasks.append(asyncio.create_task(run, name=f"camera {camera.camera_id}"))
        return tasks

    def _camera(self, spec: CameraSpec) -> Camera:
        self._metrics.up.labels(spec.camera_id).set(0)
        return Camera(
            spec,
            producer_id=self._settings.id,
            start=int(self._since),
            wall=self._since,
            fps=self._settings.fps,
            changed=self._changed,
        )

    # --- run --------------------------------------------------------------------------------------------

    async def _until_done(self, cameras: list[asyncio.Task[bool]]) -> int:
        stopped = asyncio.create_task(self._stop.wait())
        all_done = asyncio.create_task(asyncio.wait(cameras))
        try:
            waited: list[asyncio.Future[Any]] = [stopped, all_done]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._fatal is not None:
                log.error("producer cannot go on", reason=self._fatal)
                return 1
            if stopped.done():
                return 0
            return await self._finished([camera.result() for camera in cameras])
        finally:
            stopped.cancel()
            all_done.cancel()

    async def _finished(self, ended: list[bool]) -> int:
        """Every source came to its end or failed for good."""
        if not await _until(lambda: self._sender.idle or self._stop.is_set(), DRAIN_SECONDS):
            log.warning("frames were left when the sources ended", frames=self._sender.flow.waiting)
        if any(ended):
            log.info("all sources are finished", cameras=len(ended), failed=ended.count(False))
            return 0
        log.error(
            "no source can be read: see the reason of each camera above, and SOURCE", cameras=len(ended)
        )
        return 1

    async def _beat(self) -> None:
        while True:
            self._heartbeat()
            for _ in range(round(HEARTBEAT_SECONDS / TICK_SECONDS)):
                await asyncio.sleep(TICK_SECONDS)
                self._sender.tick()
                now, wall = time.monotonic(), time.time()
                for camera in self._cameras.values():
                    camera.tick(now, wall)

    def _heartbeat(self) -> None:
        now, wall = time.monotonic(), time.time()
        self._status.publish(_status_message(self._producer_status("running")))
        for camera in self._cameras.values():
            self._status.publish(_status_message(camera.status(now, wall)))

    def _producer_status(self, state: Literal["running", "stopped"]) -> ProducerStatus:
        return ProducerStatus(
            producer_id=self._settings.id,
            state=state,
            cameras=len(self._cameras),
            outstanding=self._sender.flow.outstanding,
            window=self._sender.flow.window.size,
            since=self._since,
            time=time.time(),
            version=VERSION,
        )

    def _changed(self, camera: Camera) -> None:
        self._metrics.up.labels(camera.camera_id).set(camera.state == "live")
        tell = log.info if camera.state in ("live", "connecting", "disabled") else log.warning
        tell(
            f"camera {camera.state}",
            camera_id=camera.camera_id,
            source=camera.spec.kind,
            **({"reason": camera.reason} if camera.reason else {}),
        )
        self._status.publish(_status_message(camera.status(time.monotonic(), time.time())))

    def _ended(self, reason: str) -> None:
        self._fatal = reason
        self._stop.set()

    # --- stop -------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        """Nothing is captured any more: wait for the confirms of what was sent, say goodbye, close."""
        if not await _until(lambda: not self._sender.publisher.outstanding, CONFIRM_SECONDS):
            log.warning("some frames have no confirm", frames=self._sender.publisher.outstanding)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await publish(self._status, _status_message(self._producer_status("stopped")))
            await asyncio.gather(stop(self._sending), stop(self._listening))
        except TimeoutError:
            log.warning("the broker does not answer the goodbye: leaving without it")


def _status_message(status: ProducerStatus | CameraStatus) -> Message:
    return Message(
        STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False, mandatory=False
    )


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, at most `seconds`; returns whether it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        await asyncio.sleep(0.02)
    return condition()


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
