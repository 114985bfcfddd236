"""A frame's picture as an event has it: a thumbnail, and the whole. Pure, and slow enough (some milliseconds) to stay
off the event loop.
"""

import io
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image

from contract.picture import MAX_PIXELS, PictureError, picture_extent

LARGEST = 320
QUALITY = 75
WHOLE_BYTES = 512 * 1024
"""A JPEG up to that is kept byte for byte, which costs no time and loses nothing."""
WHOLE_SIZES = (1920, 1280)
"""Longer sides to which a larger one, or a PNG, is made smaller, until it is small enough."""
WHOLE_QUALITY = 80
MAX_WHOLE_PIXELS = 16_000_000
"""Of pictures that cannot be decoded smaller than they are (PNG)."""
KINDS = ("JPEG", "PNG")
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture upright, by EXIF orientation."""


@dataclass(frozen=True, slots=True)
class EventPicture:
    """JPEGs of one frame, both upright as a browser shows them."""

    thumbnail: bytes
    whole: bytes


def event_picture(picture: bytes) -> EventPicture:
    """Both pictures. Raises PictureError for what is too large or no picture."""
    small = thumbnail(picture)  # which also tells whether all of it can be decoded
    found = picture_extent(picture)
    whole = found.cut(picture)
    if found.content_type == "image/jpeg" and len(whole) <= WHOLE_BYTES:
        return EventPicture(small, whole)
    for size in WHOLE_SIZES:
        whole = smaller(picture, size, WHOLE_QUALITY)
        if len(whole) <= WHOLE_BYTES:
            break
    return EventPicture(small, whole)


def thumbnail(picture: bytes) -> bytes:
    """A JPEG of at most 320 pixels on each side. Raises PictureError for what is too large or no picture."""
    return smaller(picture, LARGEST, QUALITY)


def smaller(picture: bytes, longest: int, quality: int) -> bytes:
    """A JPEG of at most `longest` pixels on each side. Raises PictureError for what is too large or no picture."""
    found = picture_extent(picture)
    if found.width * found.height > (MAX_PIXELS if found.content_type == "image/jpeg" else MAX_WHOLE_PIXELS):
        raise PictureError(f"{found.width}x{found.height} are too many pixels")
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(found.cut(picture)), formats=KINDS) as image,
        ):
            image.draft("RGB", (longest, longest))  # a JPEG is decoded at a half, a quarter or an eighth
            turn = TURNS.get(_orientation(image))
            small = _eight_bits(image)
            small.thumbnail((longest, longest))
    except Exception as error:  # a decoder raises whatever it likes, and it is about this picture
        raise PictureError(str(error) or type(error).__name__) from None
    if turn is not None:
        small = small.transpose(turn)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _orientation(image: Image.Image) -> int:
    """Read the orientation from the EXIF block, as the worker and browsers do: Pillow itself would also believe XMP."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken block is none
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert the image to RGB of 8 bits a channel, without transparency."""
    if image.mode.startswith("I"):  # a grey PNG of 16 bits: Pillow would cut off what is above 255
        return image.convert("I").point(lambda value: value / 257).convert("RGB")
    return image.convert("RGB")
