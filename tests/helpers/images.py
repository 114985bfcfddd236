"""Pictures that tests make: the public-domain astronaut, whose face is at a known place."""

import base64
import json
import time
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

FACE = (172, 58, 104, 132)
"""x, y, w, h of the face in `astronaut()`, by hand: hairline to chin, ear to ear."""


@cache
def astronaut() -> NDArray[np.uint8]:
    """The portrait, BGR uint8 512x512x3."""
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode as JPEG."""
    return encoded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def encoded(image: NDArray[np.uint8], extension: str, parameters: list[int] | None = None) -> bytes:
    """Encode as the format of the extension."""
    ok, data = cv2.imencode(extension, image, parameters or [])
    assert ok
    return bytes(data)


def task(image: bytes, **fields: Any) -> bytes:
    """A task as a plain client writes it."""
    return json.dumps(
        {"frame": base64.b64encode(image).decode(), "timestamp": time.time(), **fields}
    ).encode()


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x, y, w, h)."""
    width = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    inside = width * height
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)
