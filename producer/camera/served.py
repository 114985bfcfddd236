"""One camera while this producer serves it: what is wanted, its state, its view and its source."""

from typing import Protocol, runtime_checkable

from producer.camera.camera import Camera
from producer.catalogue.settings import CameraSettings
from producer.frames import Source
from producer.inspection.inspector import Inspector
from producer.sources.pacing import Rate

IDLE_AFTER = 30.0  # seconds without anything new


@runtime_checkable
class MayIdle(Protocol):
    """A source that can be read with less work, and less often, while nothing moves in its pictures."""

    def set_idle(self, idle: bool) -> None: ...


class Served:
    """What `capture.run_camera` runs. `source` None: the camera is switched off."""

    def __init__(self, wanted: CameraSettings, camera: Camera, source: Source | None) -> None:
        self._new_at = float("-inf")
        self.camera = camera
        self.source = source
        self.wanted = wanted
        # A whole interval of slack: the source keeps the rate too, and what passed it must not be lost to jitter.
        self.rate = Rate(0.0 if wanted.lossless else wanted.fps, slack=1.0)
        self.view = Inspector(wanted.sight) if wanted.sight is not None else None
        camera.labels = wanted.labels

    def want(self, wanted: CameraSettings) -> None:
        """From the next frame on. What the source was opened with does not change by this."""
        if wanted.sight != self.wanted.sight:
            self.view = Inspector(wanted.sight) if wanted.sight is not None else None
            self.camera.well()
        self.wanted = wanted
        self.camera.labels = wanted.labels

    def looked(self, *, new: bool, now: float) -> None:
        """A frame was looked at. A source that can do with less while nothing moves hears of it; `now` is monotonic."""
        if new:
            self._new_at = now
        if isinstance(self.source, MayIdle):
            self.source.set_idle(now - self._new_at > IDLE_AFTER)
