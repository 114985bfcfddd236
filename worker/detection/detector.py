"""What every detector is."""

from typing import Protocol

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage


class Detector(Protocol):
    """A model, loaded and ready. Not thread-safe: it belongs to the inference thread."""

    name: str
    """As the operator asks for it: `yunet`, `haar`."""
    model: str
    """As results name it: `<name>@<first 8 hex digits of the model's SHA-256>`."""

    def decode(self, data: bytes, max_pixels: int) -> DecodedImage:
        """Decode a JPEG or PNG as this detector likes it. Raises ImageError."""

    def detect(self, image: DecodedImage) -> Detections:
        """Detections in pixels of the original frame, clipped to it, best first."""
