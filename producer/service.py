"""The producer: start, run until told to stop or all sources are done, stop."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Literal

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Publisher, split_urls
from broker.aio import publish, stop
from contract.status import (
    HEARTBEAT_SECONDS,
    CamerasStatus,
    ProducerStatus,
    Status,
    encode_status,
    parse_status,
    status_routing_key,
)
from contract.topology import STATUS_EXCHANGE, EphemeralQueue, Lane
from producer.cameras import Camera
from producer.capture import run_camera
from producer.grammar import CameraSpec
from producer.metrics import ProducerMetrics
from producer.sender import Form, Sender
from producer.serving import Serving
from producer.settings import ProducerSettings
from producer.sharing import Member, Sharing
from producer.sources.build import build
from runtime.logs import get_logger
from runtime.version import VERSION

if TYPE_CHECKING:
    import aiohttp

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
        self._specs = {spec.camera_id: spec for spec in specs}
        self._cameras: dict[str, Camera] = {}  # served now or before
        self._serving = Serving(self._run_camera)
        # Devices are this machine's own, and what ends shall be sent once.
        shared = {c for c, spec in self._specs.items() if settings.end == "loop" and spec.kind != "webcam"}
        self._own = frozenset(self._specs) - shared
        self._sharing = Sharing(Member(settings.id, self._since), shared)
        self._shares = bool(shared)
        self._stopping = False
        self._session: aiohttp.ClientSession | None = None
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
        heartbeats = EphemeralQueue(((STATUS_EXCHANGE, "producer.*"), (STATUS_EXCHANGE, "cameras.*")))
        others = Consumer(heartbeats, self._status_came, no_ack=True)
        others.on_subscribed = lambda queue_name: self._say()  # to be heard, first of all by ourselves
        self._listening = Connection(
            loop, urls, f"{name} listens", [*self._sender.listeners, others], on_fatal=self._ended
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
            if any(spec.kind == "snapshot" for spec in self._specs.values()):
                from producer.sources.snapshot import open_session

                self._session = await stack.enter_async_context(open_session())
            beat = asyncio.create_task(self._beat())
            try:
                status = await self._until_done()
            finally:
                self._stopping = True
                await _cancel([beat])
                await self._serving.close()
        await self._close()
        return status

    # --- cameras ----------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Serve what is ours to serve now."""
        if self._stopping:
            return
        shared = self._sharing.share(time.monotonic()) if self._shares else frozenset()
        new, gone = self._serving.only(self._own | shared)
        if not new and not gone:
            return
        for camera_id in gone:
            self._let_go(camera_id)
        log.info("cameras shared", members=len(self._sharing.members), taken=len(new), let_go=len(gone))
        self._heartbeat()

    def _let_go(self, camera_id: str) -> None:
        frame = self._sender.flow.forget(camera_id)
        if frame is not None:
            self._metrics.dropped.labels(camera_id, "handed_over").inc()
        self._metrics.up.remove(camera_id)

    def _run_camera(self, camera_id: str) -> Coroutine[Any, Any, bool]:
        settings, spec = self._settings, self._specs[camera_id]
        # Its frames are numbered from the moment that it is taken up: who served it before may have started in the
        # same second.
        wall = time.time()
        camera = self._cameras[camera_id] = Camera(
            spec,
            producer_id=settings.id,
            start=int(wall * 1000),
            wall=wall,
            fps=settings.fps,
            changed=self._changed,
        )
        self._metrics.up.labels(camera_id).set(0)
        self._sender.flow.weigh(camera_id, 1.0)  # TODO the camera's priority
        source = build(
            spec, self._session, fps=settings.fps, loop=settings.end == "loop", paced=not settings.lossless
        )
        sink = self._sender.deliver if settings.lossless else self._sender.offer
        return run_camera(camera, source, sink, self._metrics)

    def _status_came(self, delivery: Delivery) -> None:
        try:
            status = parse_status(delivery.body)
        except ValueError as error:
            log.warning("status message ignored", error=str(error))
            return
        now = time.monotonic()
        if isinstance(status, CamerasStatus):
            member = Member(status.producer_id, status.producer_since)
            self._sharing.serves(member, (camera.camera_id for camera in status.cameras))
        elif isinstance(status, ProducerStatus):
            member = Member(status.producer_id, status.since)
            if status.state == "stopped":
                self._sharing.left(member)
            elif self._sharing.heard(member, status.offer, now):
                self._say()
        self._look()

    # --- run --------------------------------------------------------------------------------------------

    async def _until_done(self) -> int:
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while len(self._serving.results) < len(self._specs):
                ended = asyncio.create_task(self._serving.ended.get())
                waited: list[asyncio.Future[Any]] = [stopped, ended]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
                if self._fatal is not None:
                    log.error("producer cannot go on", reason=self._fatal)
                    return 1
                if stopped.done():
                    return 0
            return await self._finished(list(self._serving.results.values()))
        finally:
            stopped.cancel()

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
                self._look()
                await asyncio.sleep(TICK_SECONDS)
                self._sender.tick()
                now, wall = time.monotonic(), time.time()
                for camera in self._served():
                    camera.tick(now, wall)

    def _served(self) -> list[Camera]:
        return [self._cameras[camera_id] for camera_id in self._serving.cameras]

    def _heartbeat(self) -> None:
        self._say()
        self._say_cameras()

    def _say(self) -> None:
        if not self._stopping:
            self._status.publish(_status_message(self._producer_status("running")))

    def _say_cameras(self) -> None:
        now, wall = time.monotonic(), time.time()
        status = CamerasStatus(
            producer_id=self._settings.id,
            producer_since=self._since,
            time=wall,
            cameras=[camera.report(now) for camera in self._served()],
        )
        self._status.publish(_status_message(status))

    def _producer_status(self, state: Literal["running", "stopped"]) -> ProducerStatus:
        return ProducerStatus(
            producer_id=self._settings.id,
            state=state,
            cameras=len(self._serving.cameras),
            outstanding=self._sender.flow.outstanding,
            window=self._sender.flow.window.size,
            since=self._since,
            time=time.time(),
            version=VERSION,
            offer=self._sharing.offer(time.monotonic()) if self._shares else "",
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


def _status_message(status: Status) -> Message:
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
