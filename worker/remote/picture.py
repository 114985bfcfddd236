"""A frame's picture as it is sent: small enough for the endpoint, and without anything that a camera wrote beside the
pixels (EXIF tells the place). Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from worker.detection.image import DecodedImage, Image, Wants, decode

QUALITIES = (85, 70, 50)
SMALLER = 0.75
LEAST_SIDE = 64
BLUR_SHARE = 0.35
"""Of a face's longer side: as wide as the blur must be for nobody to be known."""

FindFaces = Callable[[DecodedImage], Image]


class PictureTooLarge(ValueError):
    """The picture does not fit, however small it is made."""


@dataclass(frozen=True)
class Prepared:
    """A JPEG to send, of `sent_width` x `sent_height` pixels, and the size of the frame that it shows."""

    jpeg: bytes
    sent_width: int
    sent_height: int
    width: int
    height: int


def prepare(
    image: bytes, *, longest: int, most_bytes: int, max_pixels: int, hide: FindFaces | None = None
) -> Prepared:
    """Decode, shrink and encode a frame anew. `most_bytes` is the limit in base64.

    `hide` returns the pixels without what is not to leave the house. Raises PictureError (TooManyPixels) and
    PictureTooLarge.
    """
    decoded = decode(image, Wants(longest, colour=True), max_pixels=max_pixels)
    pixels = decoded.pixels if hide is None else hide(decoded)
    while True:
        pixels = _fitting(pixels, longest)
        for quality in QUALITIES:
            done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and _in_base64(len(encoded)) <= most_bytes:
                rows, columns = pixels.shape[:2]
                return Prepared(encoded.tobytes(), columns, rows, decoded.width, decoded.height)
        longest = int(max(pixels.shape[:2]) * SMALLER)
        if longest < LEAST_SIDE:
            raise PictureTooLarge(
                f"the picture does not fit into {most_bytes} bytes: raise WORKER_REMOTE_MAX_BYTES"
            )


def blurred(pixels: Image, boxes: np.ndarray) -> Image:
    """The pixels with these boxes (x, y, width, height) blurred beyond recognition, a margin of a quarter included."""
    hidden = pixels.copy()
    rows, columns = pixels.shape[:2]
    for x, y, width, height in boxes:
        left, top = max(0, int(x - width / 4)), max(0, int(y - height / 4))
        right, bottom = min(columns, int(x + width * 1.25) + 1), min(rows, int(y + height * 1.25) + 1)
        if right > left and bottom > top:
            sigma = max(2.0, BLUR_SHARE * max(width, height))
            hidden[top:bottom, left:right] = cv2.GaussianBlur(hidden[top:bottom, left:right], (0, 0), sigma)
    return hidden


def _fitting(pixels: Image, longest: int) -> Image:
    rows, columns = pixels.shape[:2]
    scale = longest / max(rows, columns)
    if scale >= 1:
        return pixels
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _in_base64(size: int) -> int:
    return 4 * -(-size // 3)
