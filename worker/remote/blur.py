"""Hides faces in pictures before they are sent: found by the worker's own detector, and blurred."""

from threading import Lock

import numpy as np

from worker.detection.image import DecodedImage, Image
from worker.remote.picture import blurred
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard


class FaceBlur:
    """Callable from any thread, one picture at a time. Raises ModelUnavailable if there is no detector to be had."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._detector = Switchboard(settings).routes.default
        self._lock = Lock()

    def __call__(self, image: DecodedImage) -> Image:
        """The pixels with all faces that are found blurred. What a detector raises goes on: nothing is sent then."""
        with self._lock:
            found = self._detector.detect(image)
        rows, columns = image.pixels.shape[:2]
        scale = np.array([columns / image.width, rows / image.height] * 2, np.float32)
        return blurred(image.pixels, found.boxes * scale)
