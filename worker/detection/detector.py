"""What every detector is."""

from typing import Protocol

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, Wants


class Detector(Protocol):
    """A model, loaded and ready. Not thread-safe: it belongs to the inference thread."""

    name: str
    """As the operator asks for it: `yunet`, `yunet,haar:vote`."""
    model: str
    """As results name it: `<name>@<first 8 hex digits of the model's SHA-256>`."""
    wants: Wants
    """What decoding must give it; more is fine."""

    def detect(self, image: DecodedImage) -> Detections:
        """Detections in pixels of the original frame, clipped to it, best first."""
