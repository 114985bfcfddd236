"""One camera while this producer serves it: what is wanted, its state, its view and its source."""

from producer.cameras import Camera
from producer.frames import Source
from producer.view import View
from producer.wanted import Wanted


class Served:
    """What `capture.run_camera` runs. `source` None: the camera is switched off."""

    def __init__(self, wanted: Wanted, camera: Camera, source: Source | None) -> None:
        self.camera = camera
        self.source = source
        self.wanted = wanted
        self.view = View(wanted.sight) if wanted.sight is not None else None
        camera.labels = wanted.labels

    def want(self, wanted: Wanted) -> None:
        """From the next frame on. What the source was opened with does not change by this."""
        if wanted.sight != self.wanted.sight:
            self.view = View(wanted.sight) if wanted.sight is not None else None
            self.camera.well()
        self.wanted = wanted
        self.camera.labels = wanted.labels
