"""A picture's worth in a few figures."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.inspection.luma import Luma
from producer.inspection.masks import Mask

SATURATED = 250  # of 255
_DARK_LEVEL = 16.0  # keeps the noise of a black picture from looking like structure


@dataclass(frozen=True, slots=True)
class Levels:
    """The figures, of the unmasked pixels.

    bright: the grey level (0-255) that 95 of 100 pixels stay below: a clock drawn into a black picture is none of them.
    visible: share, 0-1, of the pixels that are not saturated.
    structure: mean difference between neighbours in proportion to the mean brightness; 0 for a plain surface, and
    the same for the same view in half the light.
    """

    bright: float
    visible: float
    structure: float


def levels_of(luma: Luma, mask: Mask | None = None) -> Levels:
    """The levels of a small grey picture; of a picture that is masked all over, those of a good one."""
    smooth = np.asarray(cv2.blur(luma.astype(np.float32), (3, 3)), np.float32)
    down = np.abs(np.diff(smooth, axis=0))[:, 1:]
    across = np.abs(np.diff(smooth, axis=1))[1:]
    pixels, steps = luma[1:, 1:], down + across
    if mask:
        seen = ~mask.raster(*luma.shape)[1:, 1:]
        pixels, steps = pixels[seen], steps[seen]
    if not pixels.size:
        return Levels(255.0, 1.0, 1.0)
    place = pixels.size * 95 // 100
    return Levels(
        bright=float(np.partition(pixels, place, axis=None).flat[place]),
        visible=float(np.count_nonzero(pixels < SATURATED)) / pixels.size,
        structure=float(steps.mean()) / (float(pixels.mean()) + _DARK_LEVEL),
    )


def sharpness_of(detail: Luma, mask: Mask | None = None) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), in proportion to the same at a quarter of the size.

    A soft lens takes the fine edges and leaves the coarse ones; light and shadow change both alike. A light blur
    first keeps noise from passing for sharpness. `detail` is a grey picture of some 320 pixels; 0 if it is plain.
    """
    fine = np.asarray(cv2.GaussianBlur(detail.astype(np.float32), (3, 3), 0), np.float32)
    coarse = np.asarray(cv2.pyrDown(cv2.pyrDown(fine)), np.float32)
    of_coarse = _edges(coarse, mask)
    return _edges(fine, mask) / of_coarse if of_coarse >= 1 else 0.0


def _edges(view: NDArray[np.float32], mask: Mask | None) -> float:
    edges = np.asarray(cv2.Laplacian(view, cv2.CV_32F), np.float32)
    if mask:
        edges = edges[~mask.raster(*view.shape)]
    return float(edges.var()) if edges.size else 0.0
