"""The protocol of detectors."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, Wants

BLANK = (480, 640)  # rows and columns


class Named(Protocol):
    """A model, wherever it computes."""

    name: str
    """As the operator asks for it: `yunet`, `yunet,haar:vote`."""
    model: str
    """As results name it: `<name>@<first 8 hex digits of the model's SHA-256>`."""


class Detector(Named, Protocol):
    """A model, loaded and ready. Not thread-safe: it belongs to the inference thread."""

    wants: Wants
    """The picture that decoding must give it; more is fine."""

    def detect(self, image: DecodedImage) -> Detections:
        """Detections in pixels of the original frame, clipped to it, best first."""


@runtime_checkable
class BatchDetector(Detector, Protocol):
    """A detector that gains from several images at once: on a GPU it is the number of calls that costs."""

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        """As `detect` for each, in the same order. Raises if one of them makes it fail."""


def detect_many(detector: Detector, images: Sequence[DecodedImage]) -> list[Detections]:
    """Detections of each image, in the same order; computed together where the detector can."""
    if len(images) > 1 and isinstance(detector, BatchDetector):
        return detector.detect_many(images)
    return [detector.detect(image) for image in images]


def warm_up(detector: Detector, count: int = 1) -> None:
    """Compute so many blank pictures at once: the first cost more than those that follow. Raises as `detect`."""
    rows, columns = BLANK
    detect_many(detector, [DecodedImage(np.zeros((*BLANK, 3), np.uint8), columns, rows)] * count)


def detects(detector: Detector) -> bool:
    """Check that it still computes a blank picture."""
    try:
        warm_up(detector)
    except Exception:  # what is wrong is known: the caller has the exception of a frame
        return False
    return True
