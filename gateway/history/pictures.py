"""A frame's picture as a thumbnail. Pure, and slow enough (some milliseconds) to stay off the event loop."""

import io

from PIL import Image

from contract.picture import PictureError, picture_extent

LARGEST = 320
QUALITY = 75
MAX_PIXELS = 50_000_000
MAX_WHOLE_PIXELS = 16_000_000
"""Of pictures that cannot be decoded smaller than they are (PNG)."""


def thumbnail(picture: bytes) -> bytes:
    """A JPEG of at most 320 pixels on each side. Raises PictureError for what is too large or no picture."""
    found = picture_extent(picture)
    if found.width * found.height > (MAX_PIXELS if found.content_type == "image/jpeg" else MAX_WHOLE_PIXELS):
        raise PictureError(f"{found.width}x{found.height} are too many pixels")
    try:
        with Image.open(io.BytesIO(found.cut(picture)), formats=("JPEG", "PNG")) as image:
            image.draft("RGB", (LARGEST, LARGEST))  # a JPEG is decoded at a half, a quarter or an eighth
            small = image.convert("RGB")
            small.thumbnail((LARGEST, LARGEST))
    except (OSError, SyntaxError, ValueError, ArithmeticError, Image.DecompressionBombError) as error:
        raise PictureError(str(error)) from None
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
