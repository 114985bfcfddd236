"""A picture inside a network's input, without distortion, and the way back.

The picture keeps its proportions, is centred, and what remains is filled with one grey, as the networks of the
YOLO family were trained.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from worker.detection.detections import Detections
from worker.detection.image import DecodedImage, Image

GREY = 114


@dataclass(frozen=True)
class Letterbox:
    """The place of the picture in the input: all in pixels of the input, top-left origin."""

    input_width: int
    input_height: int
    left: int
    top: int
    width: int
    height: int


def fit(
    width: int, height: int, *, limit: tuple[int, int], grow: tuple[bool, bool], stride: int
) -> Letterbox:
    """Fit a picture of `width` x `height` into an input of at most `limit` (width, height) pixels.

    A side that is free (`grow`: width, height) ends at the next multiple of `stride` instead of at its limit.
    """
    scale = min(limit[0] / width, limit[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    outer = [
        -(-side // stride) * stride if free else most
        for side, free, most in zip(inner, grow, limit, strict=True)
    ]
    left, top = ((out - side) // 2 for out, side in zip(outer, inner, strict=True))
    return Letterbox(outer[0], outer[1], left, top, *inner)


def place(pixels: Image, where: Letterbox) -> Image:
    """The input: uint8 BGR (input_height, input_width, 3), from a picture (H, W, 3) of any scale."""
    size = (where.width, where.height)
    if pixels.shape[1::-1] != size:
        shrinks = pixels.shape[1] > where.width
        pixels = np.asarray(
            cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
        )
    canvas = np.full((where.input_height, where.input_width, 3), GREY, np.uint8)
    canvas[where.top : where.top + where.height, where.left : where.left + where.width] = pixels
    return canvas


def undo(found: Detections, where: Letterbox, image: DecodedImage) -> Detections:
    """Detections in pixels of the input as detections in pixels of the original frame, clipped to it."""
    offset = np.array([where.left, where.top], np.float32)
    boxes = found.boxes.copy()
    boxes[:, :2] -= offset
    landmarks = None if found.landmarks is None else found.landmarks - offset
    moved = replace(found, boxes=boxes, landmarks=landmarks)
    return moved.scaled(image.width / where.width, image.height / where.height).clipped(
        image.width, image.height
    )
