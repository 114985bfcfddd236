"""Small grey pictures, of which it is told whether a picture shows something new."""

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""Height x width, 0 black to 255 white, blurred by 3 x 3."""

SMALL = 80
"""Pixels of the longer side: the smallest face that YuNet finds (14 of its 384) is still three of them wide."""
BRIGHTNESS_FIRST = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuv411p", "yuv410p"}
    | {"yuva420p", "yuva422p", "yuva444p", "nv12", "nv21", "gray"}
)
"""Formats whose first plane is the brightness, a byte a pixel: it is read where it lies, nothing is converted."""


def luma_of(frame: av.VideoFrame) -> Luma:
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
    return np.asarray(cv2.blur(grey, (3, 3)), np.uint8)


def difference(one: Luma, other: Luma, threshold: int) -> float:
    """The share, 0-1, of the places that differ by more than so many grey levels; 1 for pictures of another shape."""
    if one.shape != other.shape:
        return 1.0
    return float(np.count_nonzero(cv2.absdiff(one, other) > threshold)) / one.size


def _small(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, SMALL / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
