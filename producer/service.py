"""The producer: start, run until told to stop or all sources are done, stop."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from broker import AsyncioLoop, Connection, Consumer, Delivery, split_urls
from broker.aio import stop
from contract.status import HEARTBEAT_SECONDS, CamerasStatus, ProducerStatus, parse_status
from contract.topology import STATUS_EXCHANGE, EphemeralQueue
from producer.cameras import Camera
from producer.capture import run_camera
from producer.heartbeats import Heartbeats
from producer.metrics import ProducerMetrics
from producer.roster import Roster
from producer.sender import Form, Sender
from producer.served import Served
from producer.serving import Serving
from producer.settings import ProducerSettings
from producer.sharing import Member, Sharing
from producer.sources.build import build
from producer.wanted import Wanted
from runtime.logs import get_logger

if TYPE_CHECKING:
    import aiohttp

log: Any = get_logger("producer")

TICK_SECONDS = 0.25
DRAIN_SECONDS = 10.0  # at the end of finished sources: for the frames that still wait
CONFIRM_SECONDS = 3.0  # at a stop: for the confirms of what was sent


class Producer:
    """All cameras of one process. Construct it inside the event loop."""

    def __init__(self, settings: ProducerSettings, roster: Roster, metrics: ProducerMetrics) -> None:
        self._settings = settings
        self._roster = roster
        self._metrics = metrics
        self._since = time.time()
        self._stop = asyncio.Event()
        self._stopping = False
        self._fatal: str | None = None
        self._wanted = roster.cameras
        self._served: dict[str, Served] = {}  # now or before
        self._serving = Serving(self._run_camera)
        self._sharing = Sharing(Member(settings.id, self._since), roster.shared)
        self._session: aiohttp.ClientSession | None = None
        form = Form(settings.form, settings.jpeg_quality, settings.id, settings.staleness_seconds)
        self._sender = Sender(form, self._served, metrics)
        self._heartbeats = Heartbeats(
            settings.id, self._since, sender=self._sender, cameras=self._cameras, offer=self._offer
        )
        urls, loop = split_urls(settings.amqp_url), AsyncioLoop()
        name = f"producer {settings.id}"
        self._sending = Connection(
            loop,
            urls,
            f"{name} sends",
            [self._sender.publisher, self._heartbeats.publisher],
            on_fatal=self._ended,
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
            from producer.sources.snapshot import open_session

            self._session = await stack.enter_async_context(open_session())
            background = [
                asyncio.create_task(self._beat()),
                asyncio.create_task(self._roster.run(self._roster_changed)),
            ]
            try:
                status = await self._until_done()
            finally:
                self._stopping = True
                await _cancel(background)
                await self._serving.close()
        await self._close()
        return status

    # --- which cameras ----------------------------------------------------------------------------------

    def _look(self) -> None:
        """Serve what is ours to serve now."""
        if self._stopping:
            return
        shared = self._sharing.share(time.monotonic()) & self._roster.shared
        new, gone = self._serving.only(self._roster.own | shared)
        if not new and not gone:
            return
        for camera_id in gone:
            self._sender.forget(camera_id)
            self._metrics.let_go(camera_id)
        log.info("cameras shared", members=len(self._sharing.members), taken=len(new), let_go=len(gone))
        self._heartbeats.all()

    def _roster_changed(self) -> None:
        before, self._wanted = self._wanted, self._roster.cameras
        offers_others = self._sharing.know(self._roster.shared)
        for camera_id, wanted in self._wanted.items():
            if camera_id in before and wanted != before[camera_id] and camera_id in self._serving.cameras:
                self._rewanted(wanted, before[camera_id])
        self._look()
        for camera_id in before.keys() - self._wanted.keys():
            self._served.pop(camera_id, None)
            self._metrics.forget(camera_id)
        if offers_others:
            self._say()

    def _rewanted(self, wanted: Wanted, before: Wanted) -> None:
        if wanted.reopens(before):
            self._serving.again(wanted.camera_id)
            return
        self._served[wanted.camera_id].want(wanted)
        self._sender.weigh(wanted)
        if wanted.sight != before.sight:
            self._metrics.no_defects(wanted.camera_id)

    def _run_camera(self, camera_id: str) -> Coroutine[Any, Any, bool]:
        settings, wanted = self._settings, self._wanted[camera_id]
        # Its frames are numbered from the moment that it is taken up: who served it before may have started in the
        # same second.
        wall = time.time()
        camera = Camera(
            wanted.spec,
            producer_id=settings.id,
            start=int(wall * 1000),
            wall=wall,
            fps=wanted.fps,
            changed=self._changed,
        )
        source = None
        if wanted.enabled:
            source = build(
                wanted.spec,
                self._session,
                fps=wanted.fps,
                loop=settings.end == "loop",
                paced=not wanted.lossless,
            )
        served = self._served[camera_id] = Served(wanted, camera, source)
        self._metrics.up.labels(camera_id).set(0)
        self._metrics.no_defects(camera_id)
        self._sender.weigh(wanted)
        sink = self._sender.deliver if wanted.lossless else self._sender.offer
        return run_camera(served, sink, self._metrics)

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
        # Cameras may still be written into a file that is followed, unless what it names is to be sent once.
        endless = self._roster.reloader is not None and self._settings.end == "loop"
        try:
            while endless or len(self._serving.results) < len(self._wanted):
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
            log.warning("frames were left when the sources ended", frames=self._sender.waiting)
        if any(ended):
            log.info("all sources are finished", cameras=len(ended), failed=ended.count(False))
            return 0
        log.error(
            "no source can be read: see the reason of each camera above, and SOURCE", cameras=len(ended)
        )
        return 1

    async def _beat(self) -> None:
        while True:
            self._heartbeats.all()
            for _ in range(round(HEARTBEAT_SECONDS / TICK_SECONDS)):
                self._look()
                await asyncio.sleep(TICK_SECONDS)
                self._sender.tick()
                now, wall = time.monotonic(), time.time()
                for camera in self._cameras():
                    camera.tick(now, wall)

    def _cameras(self) -> list[Camera]:
        return [self._served[camera_id].camera for camera_id in self._serving.cameras]

    def _offer(self) -> str:
        return self._sharing.offer(time.monotonic()) if self._roster.shared else ""

    def _say(self) -> None:
        if not self._stopping:
            self._heartbeats.producer()

    def _changed(self, camera: Camera) -> None:
        self._metrics.up.labels(camera.camera_id).set(camera.state == "live")
        tell = log.info if camera.state in ("live", "connecting", "disabled") else log.warning
        tell(
            f"camera {camera.state}",
            camera_id=camera.camera_id,
            source=camera.spec.kind,
            **({"reason": camera.reason} if camera.reason else {}),
        )
        self._heartbeats.camera(camera)

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
                await self._heartbeats.goodbye()
            await asyncio.gather(stop(self._sending), stop(self._listening))
        except TimeoutError:
            log.warning("the broker does not answer the goodbye: leaving without it")


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
