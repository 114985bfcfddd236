"""The producer: start, run until told to stop or all sources are done, stop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from broker import AsyncioLoop, Link, from_body, split_urls
from contract.status import (
    HEARTBEAT_SECONDS,
    CamerasStatus,
    Control,
    ProducerEnd,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    parse_control,
    parse_status,
)
from contract.topology import CONTROL_EXCHANGE, STATUS_EXCHANGE
from producer.camera.camera import Camera
from producer.camera.share import Share
from producer.catalogue.roster import Roster
from producer.cluster.heartbeats import Heartbeats
from producer.cluster.removals import Removals
from producer.cluster.sharing import Member, Sharing
from producer.cluster.watches import Watches
from producer.lane.lanes import Lanes
from producer.lane.message import Form
from producer.lane.task_spans import TaskSpans
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from runtime.logs import get_logger
from runtime.tracing import Tracing

log: Any = get_logger("producer")

TICK_SECONDS = 0.25
DRAIN_SECONDS = 10.0  # at the end of finished sources: for the frames that still wait
CONFIRM_SECONDS = 3.0  # at a stop: for the confirms of what was sent


class Producer:
    """All cameras of one process. Construct it inside the event loop."""

    def __init__(
        self,
        settings: ProducerSettings,
        roster: Roster,
        metrics: ProducerMetrics,
        tracing: Tracing | None = None,
    ) -> None:
        self._settings = settings
        self._roster = roster
        self._metrics = metrics
        self._since = time.time()
        self._stop = asyncio.Event()
        self._stopping = False
        self._fatal: str | None = None
        self._sharing = Sharing(Member(settings.id, self._since), roster.shared)
        self._removals = Removals(roster.cameras)
        self._watches = Watches()
        self._link = link = Link(
            AsyncioLoop(),
            split_urls(settings.amqp_url),
            f"producer {settings.id}",
            on_fatal=self._refused,
            counts=metrics.link,
        )
        form = Form(settings.form, settings.jpeg_quality, settings.id, settings.staleness_seconds)
        self._lanes = Lanes(link, form, None if tracing is None else TaskSpans(tracing, settings.id))
        self._share = Share(settings, roster, self._lanes, metrics, self._changed)
        self._heartbeats = Heartbeats(
            link,
            settings.id,
            self._since,
            lanes=self._lanes,
            cameras=lambda: self._share.cameras,
            offer=self._offer,
            removed=lambda: self._removals.lately(time.monotonic()),
            file=lambda: roster.trouble,
        )
        link.listen(
            STATUS_EXCHANGE,
            ("producer.*", "cameras.*"),
            from_body(parse_status),
            self._hear_status,
            on_subscribed=lambda _: self._say(),  # to be heard, first of all by ourselves
        )
        link.listen(CONTROL_EXCHANGE, "", from_body(parse_control), self._hear_control)

    def missing(self) -> list[str]:
        """What is lacking to send frames, one sentence each. May be called from any thread."""
        return self._link.missing()

    def request_stop(self) -> None:
        """Ask for a clean stop; `run` then returns."""
        self._stop.set()

    async def run(self) -> int:
        """Returns the exit status: 0 stopped or finished, 1 if there is nothing (more) to be read."""
        self._link.start()
        watched = self._metrics.service.watch_loop("main", self._link.loop.call_later)
        background = [
            asyncio.create_task(self._beat()),
            asyncio.create_task(self._roster.run(self._change_roster)),
        ]
        try:
            status = await self._until_done()
        finally:
            self._stopping = True
            await _cancel(background)
            await self._share.close()
        await self._close("failed" if status else "asked" if self._stop.is_set() else "finished")
        watched()
        return status

    # --- which cameras ----------------------------------------------------------------------------------

    def _follow_share(self) -> None:
        """Serve what is ours to serve now."""
        if self._stopping:
            return
        shared = self._sharing.share(time.monotonic()) & self._roster.shared
        new, gone = self._share.serve(self._roster.own | shared)
        if new or gone:
            members = len(self._sharing.members)
            log.info("cameras shared", members=members, taken=len(new), let_go=len(gone))
            self._heartbeats.all()

    def _change_roster(self) -> None:
        self._removals.follow(self._roster.cameras, time.monotonic())
        offers_others = self._sharing.know(self._roster.shared)
        self._share.take_on()
        self._follow_share()
        self._share.forget()
        if offers_others:
            self._say()

    def _hear_status(self, status: Status) -> None:
        now = time.monotonic()
        if isinstance(status, CamerasStatus):
            member = Member(status.producer_id, status.producer_since)
            self._sharing.serves(member, (camera.camera_id for camera in status.cameras))
        elif isinstance(status, ProducerStatus):
            member = Member(status.producer_id, status.since)
            if status.state == "stopped":
                self._sharing.left(member)
                self._lanes.neighbours.left(member)
            else:
                if member != self._sharing.member:
                    self._lanes.neighbours.heard(member, status.lanes, now)
                if self._sharing.heard(member, status.offer, now):
                    self._say()
        self._follow_share()

    def _hear_control(self, control: Control) -> None:
        if isinstance(control, WatchAnnouncement):
            now = time.monotonic()
            for camera_id in self._watches.announced(control.cameras, control.ttl, now):
                self._share.send_next(camera_id)

    # --- run --------------------------------------------------------------------------------------------

    async def _until_done(self) -> int:
        stopped = asyncio.create_task(self._stop.wait())
        # Cameras may still be written into a file that is followed, unless what it names is to be sent once.
        endless = self._roster.reloader is not None and self._settings.end == "loop"
        try:
            while endless or len(self._share.results) < len(self._roster.cameras):
                ended = asyncio.create_task(self._share.ended())
                waited: list[asyncio.Future[Any]] = [stopped, ended]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
                if self._fatal is not None:
                    log.error("producer cannot go on", reason=self._fatal)
                    return 1
                if stopped.done():
                    return 0
            return await self._finish(self._share.results)
        finally:
            stopped.cancel()

    async def _finish(self, ended: list[bool]) -> int:
        """Every source came to its end or failed for good."""
        if not await _until(lambda: self._lanes.idle or self._stop.is_set(), DRAIN_SECONDS):
            log.warning("frames were left when the sources ended", frames=self._lanes.waiting)
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
                self._follow_share()
                await asyncio.sleep(TICK_SECONDS)
                self._lanes.tick()
                self._metrics.outstanding.set(self._lanes.outstanding)
                self._metrics.window.set(self._lanes.window)
                for camera in self._share.cameras:
                    camera.tick()

    def _offer(self) -> str:
        return self._sharing.offer(time.monotonic()) if self._roster.shared else ""

    def _say(self) -> None:
        if not self._stopping:
            self._heartbeats.producer()

    def _changed(self, camera: Camera) -> None:
        """Tell everybody of a camera's new state."""
        state, reason = camera.condition.state, camera.condition.reason
        self._metrics.state(camera.camera_id, state)
        tell = log.info if state in ("live", "connecting", "disabled") else log.warning
        tell(
            f"camera {state}",
            camera_id=camera.camera_id,
            source=camera.settings.spec.kind,
            **({"reason": reason} if reason else {}),
        )
        self._heartbeats.camera(camera)

    def _refused(self, reason: str) -> None:
        """The broker refuses what waiting cannot change."""
        self._fatal = reason
        self._stop.set()

    # --- stop -------------------------------------------------------------------------------------------

    async def _close(self, end: ProducerEnd) -> None:
        """Nothing is captured any more: wait for the confirms of what was sent, say goodbye, close."""
        if not await _until(lambda: not self._lanes.unconfirmed, CONFIRM_SECONDS):
            log.warning("some frames have no confirm", frames=self._lanes.unconfirmed)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._heartbeats.goodbye(end)
            await self._link.stop()
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
