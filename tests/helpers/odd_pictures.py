"""The table of odd pictures: each shows the portrait upright in whatever decodes it as it is meant.

One table for all that decode what cameras and clients send: OpenCV in workers and producers, Pillow in the gateway, the
browser on the page. What ITU-T T.81 (JPEG), EXIF and PNG allow is in here as far as it can be made on the spot.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.helpers.images import (
    astronaut,
    encoded,
    interlaced_png,
    jpeg,
    pillow,
    segment,
    turned_back,
    with_exif,
    without,
)

PORTRAIT = astronaut()[:400]  # not square: sides that are swapped would show
HEIGHT, WIDTH = PORTRAIT.shape[:2]
GREY = np.asarray(cv2.cvtColor(PORTRAIT, cv2.COLOR_BGR2GRAY), np.uint8)
THUMBNAIL = jpeg(np.zeros((120, 160, 3), np.uint8))

_HALF = np.full((HEIGHT, WIDTH, 1), 128, np.uint8)


def deep(image: NDArray[np.uint8]) -> bytes:
    """A PNG of 16 bits per channel."""
    return encoded(np.multiply(image, 257, dtype=np.uint16), ".png")


def chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk before its pixels."""
    at = png.index(b"IDAT") - 4
    made = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:at] + made + png[at:]


def exif(orientation: int, order: str = "<") -> bytes:
    """The body of an EXIF block that states the orientation."""
    begin = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    return begin + struct.pack(f"{order}I", 8) + entry + bytes(4)


def _turned_jpeg(orientation: int) -> bytes:
    return with_exif(jpeg(turned_back(PORTRAIT, orientation)), orientation)


def _turned_png(orientation: int) -> bytes:
    return chunk(encoded(turned_back(PORTRAIT, orientation), ".png"), b"eXIf", exif(orientation, ">"))


def _ycck() -> bytes:
    """CMYK as Adobe's programs write it: YCbCr of the inverse, black, and a marker that says so."""
    inverse = Image.fromarray(np.ascontiguousarray(255 - PORTRAIT[:, :, ::-1])).convert("YCbCr")
    stored = np.concatenate([np.asarray(inverse), np.full((HEIGHT, WIDTH, 1), 255, np.uint8)], axis=2)
    out = io.BytesIO()
    # Pillow inverts what it writes, as Adobe does; the marker's last byte is the transform.
    Image.frombytes("CMYK", (WIDTH, HEIGHT), np.ascontiguousarray(255 - stored).tobytes()).save(
        out, "JPEG", quality=95
    )
    data = out.getvalue()
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\x02" + data[at + 1 :]


def _frames() -> bytes:
    """An APNG whose first frame is the portrait."""
    out = io.BytesIO()
    first = Image.fromarray(np.ascontiguousarray(PORTRAIT[:, :, ::-1]))
    first.save(out, "PNG", save_all=True, append_images=[first.point(lambda v: 255 - v)], duration=10_000)
    return out.getvalue()


def _palette_with_a_hole() -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(PORTRAIT[:, :, ::-1])).quantize(255)
    image.save(out, "PNG", transparency=bytes([255] * 100 + [128] * 155))
    return out.getvalue()


ODD: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: jpeg(PORTRAIT),
    "jpeg grey": lambda: pillow(PORTRAIT, "JPEG", "L"),
    "jpeg cmyk": lambda: pillow(PORTRAIT, "JPEG", "CMYK"),
    "jpeg ycck": _ycck,
    "jpeg 4:4:4": lambda: pillow(PORTRAIT, "JPEG", subsampling=0),
    "jpeg 4:2:2": lambda: pillow(PORTRAIT, "JPEG", subsampling=1),
    "jpeg 4:1:1": lambda: encoded(PORTRAIT, ".jpg", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111]),
    "jpeg 4:4:0": lambda: encoded(PORTRAIT, ".jpg", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x121111]),
    "jpeg rgb": lambda: pillow(PORTRAIT, "JPEG", keep_rgb=True),
    "jpeg progressive": lambda: pillow(PORTRAIT, "JPEG", progressive=True),
    "jpeg progressive grey": lambda: pillow(PORTRAIT, "JPEG", "L", progressive=True),
    "jpeg with restarts": lambda: pillow(PORTRAIT, "JPEG", restart_marker_blocks=5),
    "jpeg with a thumbnail": lambda: with_exif(jpeg(PORTRAIT), 1, THUMBNAIL),
    "jpeg with a profile": lambda: pillow(
        PORTRAIT, "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "jpeg with a broken profile": lambda: pillow(PORTRAIT, "JPEG", icc_profile=bytes(70_000)),
    "jpeg with markers in a comment": lambda: segment(jpeg(PORTRAIT), 0xFE, THUMBNAIL + b"\xff\xd9\xff\xda"),
    "jpeg with broken exif": lambda: segment(jpeg(PORTRAIT), 0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff\x12\x01"),
    "jpeg with fill bytes": lambda: jpeg(PORTRAIT)[:2] + b"\xff\xff" + jpeg(PORTRAIT)[2:],
    "jpeg of a film": lambda: without(jpeg(PORTRAIT), 0xC4),  # webcams leave out the usual Huffman tables
    "jpeg after a line break": lambda: b"\r\n" + jpeg(PORTRAIT),
    "jpeg after an FF": lambda: b"\xff" + jpeg(PORTRAIT),
    "jpeg with stray bytes": lambda: segment(jpeg(PORTRAIT), 0xFE, b"")[:6] + bytes(10) + jpeg(PORTRAIT)[2:],
    "jpeg in 64 KiB of memory": lambda: jpeg(PORTRAIT) + bytes(range(200)) * 400,
    "jpeg padded": lambda: jpeg(PORTRAIT) + bytes(100),
    "jpeg with a film after it": lambda: jpeg(PORTRAIT) + bytes(range(251)) * 400,
    "jpeg with another after it": lambda: jpeg(PORTRAIT) + THUMBNAIL,
    **{
        f"jpeg of orientation {orientation}": partial(_turned_jpeg, orientation)
        for orientation in (*range(1, 9), 0, 9, 65_535)
    },
    "png": lambda: encoded(PORTRAIT, ".png"),
    "png grey": lambda: encoded(GREY, ".png"),
    "png of 1 bit": lambda: pillow(PORTRAIT, "PNG", "1"),
    "png grey and alpha": lambda: pillow(PORTRAIT, "PNG", "LA"),
    "png with alpha": lambda: encoded(np.concatenate([PORTRAIT, _HALF], axis=2), ".png"),
    "png all transparent": lambda: encoded(np.concatenate([PORTRAIT, 0 * _HALF], axis=2), ".png"),
    "png 16-bit": lambda: deep(PORTRAIT),
    "png 16-bit grey": lambda: deep(GREY),
    "png 16-bit with alpha": lambda: deep(np.concatenate([PORTRAIT, _HALF], axis=2)),
    "png palette": lambda: pillow(PORTRAIT, "PNG", "P"),
    "png palette with transparency": _palette_with_a_hole,
    "png with a transparent colour": lambda: chunk(encoded(PORTRAIT, ".png"), b"tRNS", bytes(6)),
    "png interlaced": lambda: interlaced_png(PORTRAIT),
    "png animated": _frames,
    **{
        f"png of orientation {orientation}": partial(_turned_png, orientation)
        for orientation in (1, 3, 6, 7, 9)
    },
}
UNSEEN = frozenset({"png all transparent"})
"""What a browser rightly shows nothing of, though a decoder without alpha does."""


DITHERED = frozenset({"png of 1 bit"})
"""What shows the portrait in black and white dots, in which no detector finds the face."""
SMALL = (128, 100)


def difference(shown: NDArray[np.uint8], name: str) -> float:
    """How far a BGR picture of any size is from the portrait, in grey levels on average, seen from afar."""
    pair = [cv2.resize(each, SMALL, interpolation=cv2.INTER_AREA) for each in (PORTRAIT, shown)]
    if "grey" in name or name in DITHERED:
        pair = [cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in pair]
    return float(np.abs(pair[0].astype(float) - pair[1]).mean())
