"""Arrays in, detections out: pure, without AMQP, HTTP or settings."""

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, ImageError, decode, image_size

__all__ = ["DecodedImage", "Detections", "ImageError", "decode", "image_size"]
