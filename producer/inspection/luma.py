"""Small grey pictures: all that looking needs, at a fraction of a full decode."""

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.picture import MAX_PIXELS, PNG_SIGNATURE, PictureError, picture_size
from producer.errors import Undecodable
from producer.inspection.unreadable import undecodable

Luma = NDArray[np.uint8]  # height x width, 0 black to 255 white
Image = NDArray[np.uint8]  # height x width x 3, BGR, or height x width, grey

SMALL = 80  # pixels: a face that YuNet can find (14 of its 320) is still 3 to 4 of them wide
DETAIL = 320  # pixels: what sharpness is judged on
MAX_REDUCED_PIXELS = 130_000_000
"""Of a JPEG that is decoded smaller: a progressive one still needs up to six bytes of memory for each."""

_REDUCED = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def luma_of(data: bytes, longer_side: int = SMALL, *, max_pixels: int = MAX_PIXELS) -> Luma:
    """The grey picture of a JPEG or PNG, its longer side `longer_side` pixels (or its own, if that is less).

    A JPEG is decoded at the smallest of libjpeg's scales 1, 1/2, 1/4, 1/8 that covers it: at 1/8 only the mean of each
    8 x 8 block is computed. Upright (EXIF orientation applied). Raises Undecodable.
    """
    width, height = readable_size(data, max_pixels)
    factor = reduction(max(width, height), longer_side)
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[factor])
    except cv2.error:
        grey = None
    if grey is None:
        raise undecodable(data)
    return _shrunk(np.asarray(grey, np.uint8), longer_side)


def reduction(longer_side: int, wanted: int | None) -> int:
    """The largest n of libjpeg's scales 1/n at which `wanted` pixels are left of the longer side; None: all of them."""
    return next((n for n in (8, 4, 2) if wanted is not None and longer_side >= n * wanted), 1)


def readable_size(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height in pixels of a JPEG or PNG. Raises Undecodable if it is none, or has more pixels.

    More than MAX_PIXELS only a JPEG may have: a PNG cannot be decoded smaller.
    """
    try:
        width, height = picture_size(data)
    except PictureError as error:
        raise Undecodable("corrupt", str(error)) from None
    png = data.startswith(PNG_SIGNATURE)
    if width * height > (min(max_pixels, MAX_PIXELS) if png else max_pixels):
        raise too_many_pixels(
            width,
            height,
            shrinks=max_pixels <= MAX_PIXELS and not png and width * height <= MAX_REDUCED_PIXELS,
        )
    return width, height


def too_many_pixels(width: int, height: int, *, shrinks: bool) -> Undecodable:
    """Make the error for a picture of this size; `shrinks`: with `longer_side` it could be used."""
    remedy = "set longer_side, up to 3500" if shrinks else "set a lower resolution in the camera"
    return Undecodable("too_many_pixels", f"{width}x{height} are too many pixels: {remedy}")


def luma_of_pixels(image: Image, longer_side: int = SMALL) -> Luma:
    """The grey picture of an image in memory: BGR or grey, uint8."""
    small = _shrunk(image, longer_side)
    return small if small.ndim == 2 else np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _shrunk(image: Image, longer_side: int) -> Image:
    height, width = image.shape[:2]
    scale = longer_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
