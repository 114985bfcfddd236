"""Parts of a camera's view that are nobody's business: not looked at, and black before a frame leaves the producer."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.inspection.luma import Image

Polygon = Sequence[tuple[float, float]]
"""Corners as (x, y) fractions of the upright picture's width and height, 0-1: they survive a change of resolution."""

KEPT_PIXELS = 20_000  # rasters up to this size are kept; a thousand cameras' full-size ones would be 300 MB
_SHIFT = 4  # fractional bits of the corners that OpenCV draws with


class Mask:
    """Polygons of one camera. Raises ValueError for one with fewer than three corners or outside the picture."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        for number, polygon in enumerate(polygons, 1):
            if len(polygon) < 3:
                raise ValueError(f"mask {number} has {len(polygon)} corners: a polygon needs three")
            if not all(math.isfinite(v) and 0 <= v <= 1 for corner in polygon for v in corner):
                raise ValueError(
                    f"mask {number} has a corner outside 0-1: corners are fractions of the picture"
                )
        self._polygons = [np.array(polygon, np.float64) for polygon in polygons]
        self._rasters: dict[tuple[int, int], NDArray[np.bool_]] = {}

    def __bool__(self) -> bool:
        return bool(self._polygons)

    def raster(self, height: int, width: int) -> NDArray[np.bool_]:
        """True where a picture of that size is masked: every pixel that a polygon touches, and up to one more.

        It may be shared: it cannot be written to.
        """
        known = self._rasters.get((height, width))
        if known is not None:
            return known
        raster = self._drawn(height, width).astype(bool)
        raster.flags.writeable = False
        if height * width <= KEPT_PIXELS:
            self._rasters = {(height, width): raster}  # one size at a time: cameras change theirs seldom
        return raster

    def filled(self, image: Image) -> Image:
        """A copy of the image (uint8, grey or BGR) with the polygons black."""
        seen = cv2.bitwise_not(self._drawn(*image.shape[:2]))
        return np.asarray(cv2.bitwise_and(image, image, mask=seen), np.uint8)

    def _drawn(self, height: int, width: int) -> Image:
        """255 where masked."""
        # With a border of a pixel: what lies in the outer half of the last row is drawn on it.
        drawn = np.zeros((height + 2, width + 2), np.uint8)
        # A fraction names a place, a pixel has its centre half a pixel further: hence the 0.5, less the border's 1.
        scale = np.array([width, height], np.float64)
        for polygon in self._polygons:
            corners = np.round((polygon * scale + 0.5) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(drawn, [corners], (255,), shift=_SHIFT)
        # Filling goes by the centres of pixels: a pixel more all around takes in those that are only touched.
        grown = cv2.dilate(drawn, np.ones((3, 3), np.uint8))
        return np.ascontiguousarray(grown[1:-1, 1:-1], np.uint8)
