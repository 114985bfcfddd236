"""The frontal-face Haar cascade that ships inside OpenCV 4: the fallback that needs no model file.

Viola, Jones: "Rapid Object Detection using a Boosted Cascade of Simple Features", CVPR 2001.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, Wants

LABEL = "face"
CASCADE = "haarcascade_frontalface_default.xml"


class Haar:
    """Frontal faces of at least `min_face` pixels of the original frame.

    The cascade knows no probability; `confidence` is 1 - exp(-weight / 4) of its last stage's weight, which
    grows with the evidence and is good for comparing detections of this detector only.
    """

    name = "haar"
    wants = Wants(longer_side=None, colour=False)

    def __init__(self, *, scale: float = 1.2, neighbours: int = 4, min_face: int = 48) -> None:
        path = Path(cv2.__file__).parent / "data" / CASCADE
        self.model = f"haar@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        self._cascade = cv2.CascadeClassifier(str(path))
        self._scale = scale
        self._neighbours = neighbours
        self._min_face = min_face

    def detect(self, image: DecodedImage) -> Detections:
        pixels = image.pixels
        grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        boxes, _levels, weights = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=self._scale,
            minNeighbors=self._neighbours,
            minSize=(self._min_face, self._min_face),
            outputRejectLevels=True,
        )
        if not len(boxes):
            return Detections.none()
        confidence = 1 - np.exp(-np.maximum(np.asarray(weights, np.float32).reshape(-1), 0) / 4)
        order = np.argsort(-confidence, kind="stable")
        found = Detections(
            np.asarray(boxes, np.float32)[order], confidence[order].astype(np.float32), ("face",) * len(order)
        )
        return found.clipped(image.width, image.height)
