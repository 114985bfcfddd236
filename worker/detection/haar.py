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
    """Frontal faces whose window has at least `min_face` pixels of the original frame: faces of about 56 px and more.

    The defaults cost a quarter of scale 1.1 with 4 neighbours and windows from 24 px, the plain choice. On 379 pictures
    at 640x480 (signers, two heads turning, people walking, enlargements of them, demo cameras), with YuNet's faces at
    0.8 as the truth, on one core of a shared machine:

    | scale/neighbours, smallest window | ms | found of 224 faces of 64 px and more | false a frame |
    | --- | --- | --- | --- |
    | 1.1/4, 24 (plain) | 59.7 | 87.9 % | 0.053 |
    | 1.2/2, 56 (here) | 16.2 | 87.1 % | 0.061 |
    | 1.3/1, 56 | 9.6 | 91.5 % | 0.066 |
    | 1.3/2, 56 | 9.8 | 83.0 % | 0.013 |
    | 1.4/1, 56 | 8.6 | 87.1 % | 0.053 |

    Where people are seen from behind or not at all, 1.3/1 reports 0.20 a frame, the plain choice 0.08, the defaults
    0.05 (`python -m bench.accuracy`): a fallback that is quick enough had better be believed.
    All of the difference to the plain choice is in two turning heads (48 of the faces): elsewhere both find nearly all.
    Equalising the histogram cost a third of the recall, and decoding at half the size costs much of it, too.

    The cascade knows no probability; `confidence` is 1 - exp(-weight / 4) of its last stage's weight, which
    grows with the evidence and is good for comparing detections of this detector only.
    """

    name = "haar"
    wants = Wants(longer_side=None, colour=False)

    def __init__(self, *, scale: float = 1.2, neighbours: int = 2, min_face: int = 56) -> None:
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
