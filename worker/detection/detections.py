"""The detections in one image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Detections:
    """N detections, best first.

    boxes: (N, 4) float32, x, y, width, height in pixels, top-left origin.
    confidence: (N,) float32 in 0–1.
    labels: N names of what was found.
    landmarks: (N, 5, 2) float32, x, y in pixels (right eye, left eye, nose, right and left corner of the
    mouth, as the subject has them), or None if the detector knows none. In a merged list rows are NaN for
    detections whose model knows none.
    """

    boxes: Floats
    confidence: Floats
    labels: tuple[str, ...]
    landmarks: Floats | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def none(cls) -> Detections:
        """No detections."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), ())

    def chosen(self, index: NDArray[np.intp]) -> Detections:
        """The detections at the given positions, in that order."""
        return Detections(
            self.boxes[index],
            self.confidence[index],
            tuple(self.labels[i] for i in index),
            None if self.landmarks is None else self.landmarks[index],
        )

    def scaled(self, x: float, y: float) -> Detections:
        """The same detections in an image `x` times as wide and `y` times as high."""
        factor = np.array([x, y], np.float32)
        landmarks = None if self.landmarks is None else self.landmarks * factor
        return replace(self, boxes=self.boxes * np.tile(factor, 2), landmarks=landmarks)

    def clipped(self, width: int, height: int) -> Detections:
        """Boxes rounded to whole pixels and clipped to the image; what lies outside is dropped."""
        if not len(self):
            return self
        limit = np.array([width, height], np.float32)
        corner = np.clip(np.round(self.boxes[:, :2]), 0, limit)
        far = np.clip(np.round(self.boxes[:, :2] + self.boxes[:, 2:]), 0, limit)
        landmarks = self.landmarks
        if landmarks is not None:
            landmarks = np.clip(np.round(landmarks), 0, limit - 1)
        rounded = replace(self, boxes=np.hstack([corner, far - corner]), landmarks=landmarks)
        inside = np.all(far - corner >= 1, axis=1)
        return rounded if inside.all() else rounded.chosen(np.flatnonzero(inside))
