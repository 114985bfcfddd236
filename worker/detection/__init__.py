"""Arrays in, detections out: pure, without AMQP, HTTP or settings."""

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, ImageError, Wants, decode, image_size

__all__ = ["DecodedImage", "Detections", "ImageError", "Wants", "decode", "image_size"]
