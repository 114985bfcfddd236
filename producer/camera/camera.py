"""One camera while this producer has it: its settings, its condition, its source and its inspector."""

import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

from contract.status import CameraReport, CameraStatus, Polygon
from producer.camera.condition import Condition
from producer.catalogue.settings import CameraSettings
from producer.errors import SourceError
from producer.frames import Captured, Encoded, Frame, Pixels, Skipped, Source
from producer.inspection.gate import Look
from producer.inspection.health import Change
from producer.inspection.inspector import Inspector
from producer.lane.permit import FrameLane
from producer.metrics import ProducerMetrics
from producer.sources.pacing import Rate
from runtime.logs import get_logger

log: Any = get_logger("producer")

IDLE_AFTER = 30.0  # seconds without anything new
NOTHING_NEW = frozenset({"unmodified", "identical", "still"})


@runtime_checkable
class MayIdle(Protocol):
    """A source that can be read with less work, and less often, while nothing moves in its pictures."""

    def set_idle(self, idle: bool) -> None: ...


@runtime_checkable
class ShowsCertificate(Protocol):
    """A source whose host has shown a certificate, which ends at some Unix second."""

    @property
    def certificate_end(self) -> float | None: ...


class Camera:
    """What `capture.run_camera` runs. `source` None: the camera is switched off. Its frames leave through `lane`.

    It is taken up at `wall` (Unix seconds); `changed` hears each change of its state. It is the holder of its permits:
    its lane tells it what becomes of its frames.
    """

    def __init__(
        self,
        settings: CameraSettings,
        source: Source | None,
        lane: FrameLane,
        metrics: ProducerMetrics,
        *,
        producer_id: str,
        wall: float,
        changed: Callable[["Camera"], None],
    ) -> None:
        self.camera_id = settings.camera_id
        self.settings = settings
        self.condition = Condition(
            settings.spec,
            producer_id=producer_id,
            wall=wall,
            fps=settings.fps,
            changed=lambda _: changed(self),
        )
        self.source = source
        self._certified = source if isinstance(source, ShowsCertificate) else None
        self._certificate_end: float | None = None
        self.lane = lane
        self._metrics = metrics
        # A whole interval of slack: the source keeps the rate too, and what passed it must not be lost to jitter.
        self._rate = Rate(0.0 if settings.lossless else settings.fps, slack=1.0)
        self._inspector = _inspector(settings)
        self._new_at = float("-inf")
        self._forgotten = False
        # Milliseconds: whoever served the camera before may have taken it up in the same second.
        self._start = int(wall * 1000)
        self._numbers = itertools.count()
        self.condition.labels, self.condition.remote = settings.labels, settings.remote
        self.condition.masks = _masks(settings)

    @property
    def waiting_for_queue(self) -> bool:
        """Whether the camera waits for its turn or for the queue, and so is not stalled."""
        return self.condition.waiting_for_queue

    @waiting_for_queue.setter
    def waiting_for_queue(self, waits: bool) -> None:
        self.condition.waiting_for_queue = waits

    def change(self, settings: CameraSettings, lane: FrameLane) -> None:
        """Take on new settings, from the next frame on. What the source was opened with does not change by this."""
        if settings.sight != self.settings.sight:
            self._inspector = _inspector(settings)
            self.condition.well()
            self._metrics.no_defects(self.camera_id)
        self.settings = settings
        self.lane = lane
        self.condition.labels, self.condition.remote = settings.labels, settings.remote
        self.condition.masks = _masks(settings)

    def send_next(self) -> None:
        """Send the next frame, whatever it shows."""
        if self._inspector is not None:
            self._inspector.send_next()

    def forget(self) -> None:
        """There is no such camera any more: what becomes of its last frames is not counted."""
        self._forgotten = True
        self._metrics.forget(self.camera_id)

    # --- what its source gives --------------------------------------------------------------------------

    async def inspect(self, item: Captured | Skipped) -> Frame | None:
        """Return the item as the camera's next frame if it is worth sending; else count why it is not."""
        if isinstance(item, Skipped):
            self._skip(item)
            return None
        if not self._rate.wants(time.monotonic()):
            self._skip(Skipped("rate"))
            return None
        if self._inspector is not None:
            picture, motion = item.picture, None
            if isinstance(picture, Encoded | Pixels):
                look = await self._look(item, picture, self._inspector)
                if not look.send:
                    return None
                motion = look.motion if look.reason == "changed" and self._looks_for_motion else None
            item = Captured(item.timestamp, self._inspector.leaving(picture), motion=motion)
        return self.frame(item)

    def frame(self, captured: Captured) -> Frame:
        """Make the captured picture the camera's next frame."""
        self.condition.captured(time.monotonic(), time.time())
        frame_id = f"{self.camera_id}:{self._start}:{next(self._numbers)}"
        settings = self.settings
        return Frame(
            self.camera_id,
            frame_id,
            captured.timestamp,
            captured.picture,
            settings.lane,
            settings.model,
            captured.motion,
        )

    @property
    def _looks_for_motion(self) -> bool:
        return self.settings.sight is not None and self.settings.sight.motion is not None

    async def _look(self, item: Captured, picture: Encoded | Pixels, inspector: Inspector) -> Look:
        """The verdict on a picture: whether it is worth sending, and why."""
        now = time.monotonic()
        verdict = await inspector.look(picture, now)
        look = verdict.look
        self._idle(new=look.reason in ("first", "changed"), now=now)
        self._note(verdict.changes)
        if not look.send:
            what = f"{item.name} cannot be used" if item.name else "its pictures cannot be used"
            self._skip(Skipped(look.reason, f"{what}: {look.why}" if look.why else ""))
        return look

    def _idle(self, *, new: bool, now: float) -> None:
        """Tell a source that can do with less while nothing moves."""
        if new:
            self._new_at = now
        if isinstance(self.source, MayIdle):
            self.source.set_idle(now - self._new_at > IDLE_AFTER)

    def _skip(self, item: Skipped) -> None:
        condition, now, wall = self.condition, time.monotonic(), time.time()
        self._metrics.skipped.labels(self.camera_id, item.reason).inc(item.count)
        if item.reason in NOTHING_NEW:
            if item.reason == "unmodified" and self._inspector is not None:
                self._note(self._inspector.unmodified(now))
            condition.nothing_new(now, wall)
        elif not item.detail:
            condition.alive(now, wall)
        elif item.reason == "no_keyframe":
            condition.waiting(item.detail, now, wall)
        else:
            if item.count:  # none: files that were passed over are no frames
                condition.left_out(item.detail, now, wall, count=item.count)
            if condition.news(item.detail):
                log.warning("frame skipped", camera_id=self.camera_id, reason=item.reason, detail=item.detail)

    def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.condition.defect(change.defect, change.text if change.on else None)
            self._metrics.defect(self.camera_id, change.defect, on=change.on)

    def fail(self, error: SourceError, *, final: bool) -> None:
        """The source could not be opened or broke off."""
        self._metrics.errors.labels(self.camera_id, error.reason).inc()
        self.condition.failed(error, time.time(), final=final)
        if self._inspector is not None:
            self._inspector.away()

    # --- what its lane tells ----------------------------------------------------------------------------

    def frame_sent(self) -> None:
        """The broker has confirmed a frame."""
        if not self._forgotten:
            self.condition.sent += 1
            self._metrics.frame_sent(self.camera_id)

    def frame_dropped(self, reason: str) -> None:
        """A frame will not reach the queue."""
        if not self._forgotten:
            self.condition.dropped[reason] += 1
            self._metrics.dropped.labels(self.camera_id, reason).inc()

    def frame_unanswered(self) -> None:
        """A frame's result was not heard of in time."""
        if not self._forgotten:
            self._metrics.missing_replies.labels(self.camera_id).inc()

    def frame_failed(self, reason: str) -> None:
        """A worker answered that a frame is a dead letter."""
        if not self._forgotten:
            self._metrics.frame_failed(self.camera_id, reason)

    # --- what it says of itself -------------------------------------------------------------------------

    def tick(self) -> None:
        """Notice silence, and when the certificate of its host ends."""
        if self._certified is not None and (ends := self._certified.certificate_end) != self._certificate_end:
            self._certificate_end = ends
            self._metrics.certificate(self.camera_id, ends)
        self.condition.tick(time.monotonic(), time.time())

    def report(self) -> CameraReport:
        """The camera in its producer's heartbeat."""
        return self.condition.report(time.monotonic())

    def status(self) -> CameraStatus:
        """The camera as it is told at a change."""
        return self.condition.status(time.monotonic(), time.time())


def _inspector(settings: CameraSettings) -> Inspector | None:
    return Inspector(settings.sight) if settings.sight is not None else None


def _masks(settings: CameraSettings) -> list[Polygon]:
    masks = settings.sight.masks if settings.sight is not None else ()
    return [tuple((x, y) for x, y in corners) for corners in masks]
