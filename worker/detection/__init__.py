"""Arrays in, detections out: pure, without AMQP, HTTP or settings."""

import os

# ONNX Runtime 1.31 on Linux starts telemetry when it is imported, with a device ID that it leaves in the home
# directory, and disable_telemetry_events() comes too late for that. Nothing leaves the operator's machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, Wants, decode

__all__ = ["DecodedImage", "Detections", "Wants", "decode"]
