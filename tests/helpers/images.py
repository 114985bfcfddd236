"""Pictures that tests make: the public-domain astronaut, whose face is at a known place."""

import base64
import io
import json
import struct
import time
import zlib
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image  # comes with scikit-image
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


def encoded(
    image: NDArray[np.uint8] | NDArray[np.uint16], extension: str, parameters: list[int] | None = None
) -> bytes:
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


def pillow(image: NDArray[np.uint8], kind: str, mode: str = "RGB", **parameters: Any) -> bytes:
    """Encode a BGR picture as Pillow does: any of its formats and colour modes (`CMYK`, `LA`, `P`, ...)."""
    target = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).convert(mode).save(target, kind, **parameters)
    return target.getvalue()


def segment(image: bytes, marker: int, payload: bytes) -> bytes:
    """A JPEG with one more segment right after its start (ITU-T T.81, B.1.1.4)."""
    return image[:2] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + image[2:]


def without(image: bytes, marker: int) -> bytes:
    """A JPEG without the segments of that marker that come before its scan."""
    position, kept = 2, [image[:2]]
    while image[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(image[position + 2 : position + 4], "big")
        if image[position + 1] != marker:
            kept.append(image[position:end])
        position = end
    return b"".join(kept) + image[position:]


def with_exif(image: bytes, orientation: int, thumbnail: bytes = b"") -> bytes:
    """A JPEG with an EXIF segment that states the orientation, and a thumbnail after it."""
    entry = struct.pack("<HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    return segment(image, 0xE1, b"Exif\0\0II*\0\x08\0\0\0" + entry + bytes(4) + thumbnail)


def turned_back(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What a camera stores with that EXIF orientation (1 to 8) so that viewers show `image`."""
    back = {
        2: (False, 1),
        3: (False, -1),
        4: (False, 0),
        5: (True, None),
        6: (True, 0),
        7: (True, -1),
        8: (True, 1),
    }
    swap, flip = back.get(orientation, (False, None))
    stored = image.transpose(1, 0, 2) if swap else image
    return np.ascontiguousarray(stored if flip is None else cv2.flip(np.ascontiguousarray(stored), flip))


def png(
    width: int, height: int, pixels: bytes, *, depth: int = 8, colour: int = 2, interlaced: bool = False
) -> bytes:
    """A PNG from its parts (RFC 2083): `pixels` is what is deflated, whether it fits the header or not."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def interlaced_png(image: NDArray[np.uint8]) -> bytes:
    """A BGR picture as a PNG in seven passes, Adam7 (RFC 2083, 2.6)."""
    rgb = image[:, :, ::-1]
    starts = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    rows = [row for y, x, down, right in starts for row in rgb[y::down, x::right]]
    pixels = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(image.shape[1], image.shape[0], pixels, interlaced=True)
