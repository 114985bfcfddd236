"""Decoding, no larger than the detector needs, and never before the header was looked at."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.picture import PictureError, picture_extent, picture_size

Image = NDArray[np.uint8]

_COLOUR = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_GREY = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


class TooManyPixels(PictureError):
    """The header promises more pixels than allowed: refused before anything is decoded."""


@dataclass(frozen=True)
class Wants:
    """The needs of a detector in a picture: at least so many pixels on its longer side, and perhaps colour.

    `longer_side` None stands for all the pixels there are.
    """

    longer_side: int | None
    colour: bool

    def __or__(self, other: "Wants") -> "Wants":
        """The needs that serve both."""
        sides = (self.longer_side, other.longer_side)
        return Wants(
            None if None in sides else max(side for side in sides if side is not None),
            self.colour or other.colour,
        )


EVERYTHING = Wants(longer_side=None, colour=True)


@dataclass(frozen=True)
class DecodedImage:
    """Pixels, perhaps reduced, of an original of `width` x `height`.

    pixels: uint8, (H, W, 3) in BGR order or (H, W) grey, upright (EXIF orientation applied).
    """

    pixels: Image
    width: int
    height: int


def decode(data: bytes, wants: Wants = EVERYTHING, *, max_pixels: int = 50_000_000) -> DecodedImage:
    """Decode a JPEG or PNG to uint8 BGR, or grey where colour is not wanted.

    A JPEG is decoded at the smallest of the scales 1, 1/2, 1/4, 1/8 at which its longer side still has the pixels
    wanted: libjpeg then skips most of the inverse transform. Raises PictureError for what does not decode or is
    truncated, TooManyPixels before decoding if the header promises more than `max_pixels`.
    """
    width, height = picture_size(data)
    if width * height > max_pixels:
        raise TooManyPixels(f"{width}x{height} are {width * height} pixels, the limit is {max_pixels}")
    # Cut out of what is around it: cameras pad, phones append films, and decoders want it at the very beginning.
    found = picture_extent(data)
    factor = _reduction(max(width, height), wants.longer_side) if found.content_type == "image/jpeg" else 1
    picture = np.frombuffer(data, np.uint8, found.end - found.begin, found.begin)
    pixels = cv2.imdecode(picture, (_COLOUR if wants.colour else _GREY)[factor])
    if pixels is None:
        raise PictureError("the image does not decode")
    if _turned(pixels.shape[1], pixels.shape[0], width, height, factor):
        width, height = height, width
    return DecodedImage(np.asarray(pixels, np.uint8), width, height)


def _reduction(longer_side: int, wanted: int | None) -> int:
    if wanted is None:
        return 1
    return next((factor for factor in (8, 4, 2) if longer_side >= wanted * factor), 1)


def _turned(decoded_width: int, decoded_height: int, width: int, height: int, factor: int) -> bool:
    """Tell whether EXIF orientation swapped the sides of the decoded image."""
    expected = (-(-width // factor), -(-height // factor))
    return (decoded_width, decoded_height) != expected and (decoded_height, decoded_width) == expected
