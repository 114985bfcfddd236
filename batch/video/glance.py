"""Small grey pictures, of which it is told whether a picture shows something new."""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

SMALL = 80
"""Pixels of the longer side: the smallest face that YuNet finds (14 of its 384) is still three of them wide."""
BRIGHTNESS_FIRST = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuv411p", "yuv410p"}
    | {"yuva420p", "yuva422p", "yuva444p", "nv12", "nv21", "gray"}
)
"""Formats whose first plane is the brightness, a byte a pixel: it is read where it lies, nothing is converted."""


@dataclass(frozen=True, slots=True)
class Glance:
    """The small `grey` picture (0 black to 255 white, blurred by 3 x 3) of one whose width and height are `size`."""

    grey: Grey
    size: tuple[int, int]


def glance_at(frame: av.VideoFrame) -> Glance:
    """The small grey picture of a frame, as it was recorded (not turned)."""
    width, height = _small(frame.width, frame.height)
    if frame.format.name in BRIGHTNESS_FIRST:
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        grey = cv2.resize(rows[: frame.height, : frame.width], (width, height), interpolation=cv2.INTER_AREA)
    else:
        small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA", threads=1)
        plane = small.planes[0]
        grey = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
    return Glance(np.asarray(cv2.blur(grey, (3, 3)), np.uint8), (frame.width, frame.height))


def difference(one: Glance, other: Glance, threshold: int) -> float:
    """The share, 0-1, of the places that differ by more than so many grey levels.

    1 for pictures of two sizes, even if they show the same: a box in one lies elsewhere in the other.
    """
    if one.size != other.size:
        return 1.0
    return float(np.count_nonzero(cv2.absdiff(one.grey, other.grey) > threshold)) / one.grey.size


def _small(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, SMALL / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
