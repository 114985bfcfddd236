"""Puts pictures upright: a telephone records as it is held, and notes how the picture must be turned and mirrored."""

import struct
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

Image = NDArray[np.uint8]

MATRIX = struct.Struct("=9i")
"""The display matrix, 3x3: x and y become (a x + c y, b x + d y), and the corner is moved to where it belongs."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a decoded picture is put upright: rows and columns exchanged first, then mirrored."""

    exchanged: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def upright(self, image: Image) -> Image:
        """The picture as it is to be seen."""
        if self.exchanged:
            image = np.asarray(image.transpose(1, 0, 2), np.uint8)
        code = {(True, False): 1, (False, True): 0, (True, True): -1}.get((self.mirrored, self.upside_down))
        image = np.ascontiguousarray(image)
        return image if code is None else np.asarray(cv2.flip(image, code), np.uint8)


def orientation(frame: av.VideoFrame) -> Orientation:
    """What the frame's display matrix says, to the nearest quarter; without one it is upright as it is."""
    noted: Any = frame.side_data  # its stub names another type
    try:
        data = bytes(noted[Type.DISPLAYMATRIX])
    except KeyError:
        return Orientation()
    if len(data) < MATRIX.size:
        return Orientation()
    a, b, _, c, d, *_ = MATRIX.unpack_from(data)
    exchanged = abs(b) + abs(c) > abs(a) + abs(d)
    if exchanged:
        a, d = c, b
    return Orientation(exchanged, a < 0, d < 0)
