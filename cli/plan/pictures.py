"""Pictures like the cameras': people in them, of the size asked for, and of about as many bytes.

How long a JPEG takes to decode depends on its pixels and on its bytes. `python -m cli.plan.pictures` draws them in a
process of its own (see `meter.answer`): what that takes in memory is neither a worker's nor a producer's.
"""

from base64 import b64encode
from typing import Any

import cv2
import numpy as np

from cli.plan.meter import answer
from producer.frames import Image
from producer.sources.demo import LOOP, SCENES, jpeg

COUNT = 12
QUALITIES = (5, 98)
NOISE = 24.0
"""The standard deviation of noise that is added where a picture is too smooth for so many bytes at any quality."""


def pictures(size: tuple[int, int], picture_bytes: int, count: int = COUNT) -> list[bytes]:
    """Draw JPEGs of the demo cameras at `size` (width, height), each of about `picture_bytes`."""
    drawn = [jpeg(n % SCENES + 1, n * LOOP // count) for n in range(count)]
    first, *others = (_pixels(each, size) for each in drawn)
    quality = _quality(first, picture_bytes)
    if quality == QUALITIES[1]:
        random = np.random.default_rng(1)
        noise = random.normal(0, NOISE, first.shape)
        first, *others = (np.clip(each + noise, 0, 255).astype(np.uint8) for each in (first, *others))
        quality = _quality(first, picture_bytes)
    return [_encoded(each, quality) for each in (first, *others)]


def _quality(image: Image, picture_bytes: int) -> int:
    """Return the least quality that makes so many bytes, or the highest of `QUALITIES`."""
    low, high = QUALITIES
    while low < high:
        middle = (low + high) // 2
        if len(_encoded(image, middle)) < picture_bytes:
            low = middle + 1
        else:
            high = middle
    return low


def _pixels(data: bytes, size: tuple[int, int]) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("OpenCV does not read its own JPEG")
    return np.asarray(cv2.resize(image, size), np.uint8)


def _encoded(image: Image, quality: int) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def draw(question: dict[str, Any]) -> dict[str, Any]:
    """Answer with the pictures, in base64."""
    drawn = pictures((question["width"], question["height"]), question["bytes"])
    return {"pictures": [b64encode(each).decode() for each in drawn]}


if __name__ == "__main__":
    answer(draw)
