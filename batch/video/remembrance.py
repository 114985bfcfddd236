"""Remembers pictures that were analysed, and finds the one that a new picture repeats."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from batch.video.glance import Glance, Grey, difference

SIDE, KEPT = 32, 8  # the picture is looked at in so many pixels, of which so many frequencies count
NEAR = 12  # of 64 bits: two pictures that differ in more are not compared
COMPARED = 4  # the nearest ones


class Remembrance:
    """The last `most` analysed pictures of a video, five kilobytes each.

    A perceptual hash finds candidates quickly; whether one shows the same is told by comparing the pictures
    themselves, just as between neighbours. So a chance hit of the hash never hides a face.
    """

    def __init__(self, most: int, area: float, threshold: int) -> None:
        self._area = area
        self._threshold = threshold
        self._hashes: NDArray[np.uint64] = np.zeros(most, np.uint64)
        self._pictures: deque[tuple[int, Glance]] = deque(maxlen=most)
        self._added = 0

    def add(self, index: int, glance: Glance) -> None:
        """Remember the picture of the sample `index`; the oldest one is forgotten."""
        self._hashes[self._added % len(self._hashes)] = perceptual_hash(glance.grey)
        self._pictures.append((index, glance))
        self._added += 1

    def find(self, glance: Glance) -> tuple[int, Glance] | None:
        """The sample that showed the same, with its picture; the most similar of several."""
        kept = len(self._pictures)
        distances = np.bitwise_count(self._hashes[:kept] ^ perceptual_hash(glance.grey))
        near = np.flatnonzero(distances <= NEAR)
        best: tuple[float, tuple[int, Glance]] | None = None
        for slot in near[np.argsort(distances[near], kind="stable")][:COMPARED]:
            remembered = self._pictures[self._place(int(slot))]
            differs = difference(remembered[1], glance, self._threshold)
            if differs <= self._area and (best is None or differs < best[0]):
                best = differs, remembered
        return best[1] if best else None

    def _place(self, slot: int) -> int:
        """Where in the deque, oldest first, the picture of that slot of the ring is."""
        most, kept = len(self._hashes), len(self._pictures)
        oldest = self._added % most if kept == most else 0
        return (slot - oldest) % most


def perceptual_hash(grey: Grey) -> np.uint64:
    """64 bits that are alike for pictures that look alike: which low frequencies are above the median (pHash)."""
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:KEPT, :KEPT].ravel()
    bits = low > np.median(low[1:])  # the first is the brightness as a whole
    return np.uint64(np.packbits(bits).view(np.uint64)[0])
