"""Several detectors on one frame, as one."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from worker.detection.detections import Detections
from worker.detection.detector import Detector, detect_many
from worker.detection.image import DecodedImage
from worker.detection.merge import known_strategy, merge


class Ensemble:
    """Runs each detector on the frame, which is decoded once, and merges (see `merge`).

    One that raises fails the frame, as it would alone: a vote with a voice missing would be another vote.
    Raises ValueError for an unknown strategy, or fewer than two detectors.
    """

    def __init__(self, detectors: Sequence[Detector], strategy: str) -> None:
        if len(detectors) < 2:
            raise ValueError(f"an ensemble is of two detectors or more, not {len(detectors)}")
        self._detectors = tuple(detectors)
        self._strategy = known_strategy(strategy)
        suffix = "" if strategy == "best" else f":{strategy}"  # as the canonical specification is written
        self.name = ",".join(detector.name for detector in detectors) + suffix
        self.model = ",".join(detector.model for detector in detectors) + suffix
        self.wants = reduce(or_, (detector.wants for detector in detectors))

    def detect(self, image: DecodedImage) -> Detections:
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        found = [detect_many(detector, images) for detector in self._detectors]
        return [
            merge(each, self._strategy).clipped(image.width, image.height)
            for image, each in zip(images, zip(*found, strict=True), strict=True)
        ]
