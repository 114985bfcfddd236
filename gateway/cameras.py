"""Cameras as their producers and their results show them. Pure: `now` is monotonic, `wall` Unix time.

A producer's word on its camera counts while the producer is heard; a camera of a plain client, which no producer
speaks for, is judged by its results.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.result import Result
from contract.status import LOST_AFTER_SECONDS, CameraState, CameraStatus, ProducerStatus
from gateway.views import CameraView

STALLED_AFTER_SECONDS = 10.0
FORGET_AFTER_SECONDS = 24 * 3600.0
MAX_CAMERAS = 10_000
RATE_SECONDS = 5.0


@dataclass(slots=True)
class _Rate:
    """Results per second over windows of five seconds."""

    begin: float
    count: int = 0
    value: float | None = None

    def add(self, now: float) -> None:
        if now - self.begin > 4 * RATE_SECONDS:
            self.begin, self.count, self.value = now, 0, None
        elif now - self.begin >= RATE_SECONDS:
            self.value = self.count / (now - self.begin)
            self.begin, self.count = now, 0
        self.count += 1


@dataclass(slots=True)
class _Camera:
    camera_id: str
    first: float  # monotonic
    first_wall: float
    rate: _Rate
    status: CameraStatus | None = None
    status_heard: float = 0.0
    result: Result | None = None
    result_heard: float = 0.0
    result_wall: float = 0.0

    @property
    def heard(self) -> float:
        return max(self.first, self.status_heard, self.result_heard)


@dataclass(slots=True)
class _Producer:
    heard: float
    heard_wall: float
    stopped: bool = False
    cameras: set[str] = field(default_factory=set)


class Cameras:
    """All cameras of the last day, at most 10,000."""

    def __init__(self) -> None:
        self._cameras: dict[str, _Camera] = {}
        self._producers: dict[str, _Producer] = {}

    def result(self, result: Result, now: float, wall: float) -> None:
        """A computed frame that the live view took."""
        camera = self._camera(result.camera_id, now, wall)
        camera.result, camera.result_heard, camera.result_wall = result, now, wall
        camera.rate.add(now)

    def status(self, status: CameraStatus, now: float, wall: float) -> None:
        """A producer's word on its camera."""
        camera = self._camera(status.camera_id, now, wall)
        camera.status, camera.status_heard = status, now
        self._heard(status.producer_id, now, wall)

    def producer(self, status: ProducerStatus, now: float, wall: float) -> None:
        """A producer's heartbeat."""
        self._heard(status.producer_id, now, wall).stopped = status.state == "stopped"

    def tidy(self, now: float) -> list[str]:
        """Forget cameras and producers that were silent for a day; returns the cameras."""
        gone = [c for c, camera in self._cameras.items() if now - camera.heard > FORGET_AFTER_SECONDS]
        for camera_id in gone:
            del self._cameras[camera_id]
        for producer_id in [p for p, it in self._producers.items() if now - it.heard > FORGET_AFTER_SECONDS]:
            del self._producers[producer_id]
        return gone

    def views(self, now: float, wall: float) -> list[CameraView]:
        """Every camera, by name."""
        return [self._view(self._cameras[camera_id], now, wall) for camera_id in sorted(self._cameras)]

    def _camera(self, camera_id: str, now: float, wall: float) -> _Camera:
        camera = self._cameras.get(camera_id)
        if camera is None:
            if len(self._cameras) >= MAX_CAMERAS:
                del self._cameras[min(self._cameras.values(), key=lambda c: c.heard).camera_id]
            camera = self._cameras[camera_id] = _Camera(camera_id, now, wall, _Rate(now))
        return camera

    def _heard(self, producer_id: str, now: float, wall: float) -> _Producer:
        producer = self._producers.get(producer_id)
        if producer is None:
            if len(self._producers) >= MAX_CAMERAS:
                del self._producers[min(self._producers, key=lambda p: self._producers[p].heard)]
            producer = self._producers[producer_id] = _Producer(now, wall)
        producer.heard, producer.heard_wall, producer.stopped = now, wall, False
        return producer

    def _view(self, camera: _Camera, now: float, wall: float) -> CameraView:
        state, reason, since = self._state(camera, now, wall)
        result = camera.result
        recent = result is not None and now - camera.result_heard <= STALLED_AFTER_SECONDS
        return CameraView(
            camera_id=camera.camera_id,
            state=state,
            reason=reason,
            since=since,
            fps=camera.rate.value if recent else None,
            last_result=camera.result_wall if result is not None else None,
            faces=len(result.detections) if result is not None else None,
            latency=max(0.0, result.timestamp - result.original_timestamp) if result is not None else None,
            width=result.width if result is not None else None,
            height=result.height if result is not None else None,
            producer_id=camera.status.producer_id if camera.status is not None else None,
        )

    def _state(self, camera: _Camera, now: float, wall: float) -> tuple[CameraState, str | None, float]:
        """State, reason, and since when."""
        silent = now - camera.result_heard > STALLED_AFTER_SECONDS
        status = camera.status
        if status is None:
            if silent:
                return "stalled", f"no results since {clock(camera.result_wall)}", camera.result_wall
            return "live", None, camera.first_wall
        producer = self._producers.get(status.producer_id)
        if producer is None or producer.stopped:
            stopped = producer.heard_wall if producer is not None else camera.first_wall
            return "offline", f"its producer stopped at {clock(stopped)}", stopped
        if now - producer.heard > LOST_AFTER_SECONDS:
            return "offline", f"producer not heard since {clock(producer.heard_wall)}", producer.heard_wall
        if (
            status.state == "live"
            and silent
            and now - camera.first > STALLED_AFTER_SECONDS
            and wall - status.since > (STALLED_AFTER_SECONDS)
        ):
            # Its frames are sent and nothing comes back: a picture of the past must not pose as live.
            since = camera.result_wall or status.since
            return (
                "degraded",
                f"its frames bring no results since {clock(since)}: is a worker running?",
                since,
            )
        return status.state, status.reason, status.since


def clock(wall: float) -> str:
    """A time of day that means the same to every reader."""
    return datetime.fromtimestamp(wall, UTC).strftime("%H:%M:%S UTC")
