"""Puts pictures upright: a telephone records as it is held, and notes how the picture must be turned and mirrored."""

import struct
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type

from producer.frames import Image

MATRIX = struct.Struct("=9i")
"""The display matrix, 3x3: x and y become (a x + c y, b x + d y), and the corner is moved to where it belongs."""


def upright(image: Image, frame: av.VideoFrame) -> Image:
    """The pixels of `frame`, turned as its display matrix says, to the nearest quarter."""
    noted: Any = frame.side_data  # its stub names another type
    try:
        data = bytes(noted[Type.DISPLAYMATRIX])
    except KeyError:
        return image
    if len(data) < MATRIX.size:
        return image
    a, b, _, c, d, *_ = MATRIX.unpack_from(data)
    if abs(b) + abs(c) > abs(a) + abs(d):
        image = np.asarray(image.transpose(1, 0, 2), np.uint8)
        a, d = c, b
    flips = {(True, False): 1, (False, True): 0, (True, True): -1}
    flip = flips.get((a < 0, d < 0))
    turned = np.ascontiguousarray(image)
    return turned if flip is None else np.asarray(cv2.flip(turned, flip), np.uint8)
