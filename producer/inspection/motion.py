"""How much of a picture changed since the last one that was sent."""

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.inspection.luma import Luma
from producer.inspection.masks import Mask

Floats = NDArray[np.float32]

THRESHOLD = 12.0  # grey levels of 255, far above what sensor noise and JPEG leave of a mean over 8 x 8 pixels
NOISY = 3.0  # noise may raise the threshold to at most so many times its setting
DIMMEST, BRIGHTEST = 0.5, 2.0  # change of the light as a whole that is evened out


class Motion:
    """Compares small grey pictures with a reference: the last picture that was *sent*, not the one before.

    So nothing creeps past: what moves too slowly to differ from one frame to the next differs from the last one sent
    sooner or later. A pixel has changed if it differs by more than `threshold` grey levels after a blur of 3 x 3, a
    change of the light as a whole (the ratio of the medians) being evened out.

    The threshold follows a noisy camera: the quarter of the pixels that differ least show its noise (0.32 standard
    deviations of a normal distribution), and six standard deviations are no motion.
    """

    def __init__(self, *, threshold: float = THRESHOLD, mask: Mask | None = None) -> None:
        if not 0 < threshold < 255:
            raise ValueError(f"a threshold of {threshold} grey levels: it lies between 0 and 255")
        self._threshold = threshold
        self._mask = mask
        self._reference: Luma | None = None

    def changed(self, luma: Luma) -> float:
        """The share, 0-1, of the unmasked pixels that changed; 1 without a reference or with one of another size."""
        if self._reference is None or self._reference.shape != luma.shape:
            return 1.0
        before, after = _blurred(self._reference), _blurred(luma)
        if self._mask:
            seen = ~self._mask.raster(*luma.shape)
            before, after = before[seen], after[seen]
            if not before.size:
                return 0.0
        light = float(np.median(after)) / max(1.0, float(np.median(before)))
        expected = np.minimum(before * np.float32(np.clip(light, DIMMEST, BRIGHTEST)), np.float32(255))
        difference = np.abs(after - expected)
        noise = float(np.partition(difference, difference.size // 4, axis=None)[difference.size // 4]) / 0.32
        threshold = min(max(self._threshold, 6 * noise), NOISY * self._threshold)
        return int(np.count_nonzero(difference > threshold)) / int(difference.size)  # not NumPy's: it travels

    def keep(self, luma: Luma) -> None:
        """This picture was sent: the next ones are compared with it."""
        self._reference = luma


def _blurred(luma: Luma) -> Floats:
    return np.asarray(cv2.blur(luma.astype(np.float32), (3, 3)), np.float32)
