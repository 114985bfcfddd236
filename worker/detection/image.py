"""Decoding, no larger than the detector needs, and never before the header was looked at."""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"

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


class ImageError(ValueError):
    """Bytes that are no usable JPEG or PNG."""


class TooManyPixels(ImageError):
    """The header promises more pixels than allowed: refused before anything is decoded."""


@dataclass(frozen=True)
class Wants:
    """What a detector must have of a picture: at least so many pixels on its longer side, and perhaps colour.

    `longer_side` None stands for all the pixels there are.
    """

    longer_side: int | None
    colour: bool

    def __or__(self, other: "Wants") -> "Wants":
        """What serves both."""
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


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels from the header of a JPEG (ITU-T T.81, B.2.2) or PNG (RFC 2083, 4.1.1).

    EXIF orientation is not considered. Raises ImageError if the bytes are neither, or end too soon.
    """
    if data.startswith(PNG_SIGNATURE):
        if len(data) < 24 or data[12:16] != b"IHDR":
            raise ImageError("the PNG ends within its header")
        width, height = struct.unpack(">II", data[16:24])
    elif data.startswith(JPEG_SIGNATURE):
        width, height = _jpeg_size(data)
    else:
        raise ImageError("the bytes are neither JPEG nor PNG")
    if not width or not height:
        raise ImageError("the image has no pixels")
    return width, height


def decode(data: bytes, wants: Wants = EVERYTHING, *, max_pixels: int = 50_000_000) -> DecodedImage:
    """Decode a JPEG or PNG to uint8 BGR, or grey where colour is not wanted.

    A JPEG is decoded at the smallest of the scales 1, 1/2, 1/4, 1/8 at which its longer side still has the pixels
    wanted: libjpeg then skips most of the inverse transform. Raises ImageError for what does not decode or is
    truncated, TooManyPixels before decoding if the header promises more than `max_pixels`.
    """
    width, height = image_size(data)
    if width * height > max_pixels:
        raise TooManyPixels(f"{width}x{height} are {width * height} pixels, the limit is {max_pixels}")
    jpeg = data.startswith(JPEG_SIGNATURE)
    if jpeg and data.rfind(JPEG_END) < 0:  # what follows it is forgiven: cameras pad, phones append films
        raise ImageError("the JPEG is truncated: it has no end marker")
    factor = _reduction(max(width, height), wants.longer_side) if jpeg else 1
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), (_COLOUR if wants.colour else _GREY)[factor])
    if pixels is None:
        raise ImageError("the image does not decode")
    if _turned(pixels.shape[1], pixels.shape[0], width, height, factor):
        width, height = height, width
    return DecodedImage(np.asarray(pixels, np.uint8), width, height)


def _reduction(longer_side: int, wanted: int | None) -> int:
    if wanted is None:
        return 1
    return next((factor for factor in (8, 4, 2) if longer_side >= wanted * factor), 1)


def _turned(decoded_width: int, decoded_height: int, width: int, height: int, factor: int) -> bool:
    """Whether EXIF orientation swapped the sides of the decoded image."""
    expected = (-(-width // factor), -(-height // factor))
    return (decoded_width, decoded_height) != expected and (decoded_height, decoded_width) == expected


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ImageError("the JPEG's header is corrupt")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            if position + 9 > len(data):
                break
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            position += 2
            continue
        if marker == 0xDA:
            break
        position += 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
    raise ImageError("the JPEG ends before its size")
