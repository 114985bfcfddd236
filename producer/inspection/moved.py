"""Moved: the camera looks elsewhere than it did."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.inspection.alarm import Alarm
from producer.inspection.luma import Luma
from producer.inspection.masks import Mask

Floats = NDArray[np.float32]

SHIFT, NO_SHIFT = 0.03, 0.02  # of the picture's longer side
CLEAR_PEAK = 0.15  # of 1: below, the phase correlation found no shift that explains the picture
OTHER, SAME = 0.2, 0.3  # correlation of the edges with the reference's
RISE, FALL = 30.0, 20.0  # seconds: a lorry that stops before the lens usually takes less
ACCEPTED_AFTER = 600.0  # seconds; then the new view is the camera's view
MEMORY = 600.0  # seconds that the reference remembers: who stands there longer belongs to the view
ENOUGH = 6  # looks before the reference is one


class Moved:
    """Compares small grey pictures with a slow average of those before. `now` is monotonic seconds.

    A shift is found by phase correlation (Kuglin and Hines, 1975), which neither the light nor a person in the
    picture disturbs; a turn so far that nothing of the old view is left, by edges that no longer correlate.
    """

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._alarm = Alarm(RISE, FALL)
        self._reference: Floats | None = None
        self._learned = 0
        self._at = 0.0
        self._moved_at = 0.0
        self.shift = 0.0
        """By how much the view had moved at the last look, as a share of its longer side."""

    @property
    def on(self) -> bool:
        return self._alarm.on

    def look(self, luma: Luma, now: float) -> bool:
        """Take in one look at a picture that is neither black nor blinded; returns whether it moved."""
        view = self._prepared(luma)
        if self._reference is None or self._reference.shape != view.shape:
            self.forget()
        if self._reference is None or self._learned < ENOUGH:
            self._learn(view, now)
            return False
        suspect = self._elsewhere(self._reference, view)
        if not suspect:
            self._learn(view, now)
        was = self._alarm.on
        if self._alarm.look(suspect, now) and not was:
            self._moved_at = now
        return self._alarm.on

    def accepted(self, now: float) -> bool:
        """Return whether the camera moved so long ago that the new view is its own."""
        return self._alarm.on and now - self._moved_at >= ACCEPTED_AFTER

    def restart(self) -> None:
        """The camera was away."""
        self._alarm.restart()

    def forget(self) -> None:
        """Take what comes next for the camera's view."""
        self._alarm = Alarm(RISE, FALL)
        self._reference, self._learned, self.shift = None, 0, 0.0

    def _prepared(self, luma: Luma) -> Floats:
        """Masked parts as grey as the rest."""
        view = luma.astype(np.float32)
        if self._mask:
            hidden = self._mask.raster(*luma.shape)
            view[hidden] = view[~hidden].mean() if not hidden.all() else 0
        return view

    def _elsewhere(self, reference: Floats, view: Floats) -> bool:
        height, width = view.shape
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        before, after = reference - reference.mean(), view - view.mean()
        (x, y), peak = cv2.phaseCorrelate(before, after, window)
        # Where OpenCV pads to an odd size, it puts the picture half a pixel beside itself.
        (x0, y0), _ = cv2.phaseCorrelate(before, before, window)
        self.shift = math.hypot(x - x0, y - y0) / max(view.shape) if peak >= CLEAR_PEAK else 0.0
        if self.shift >= (NO_SHIFT if self._alarm.on else SHIFT):
            return True
        return _correlation(_edges(reference), _edges(view)) < (SAME if self._alarm.on else OTHER)

    def _learn(self, view: Floats, now: float) -> None:
        self._learned += 1
        if self._reference is None:
            self._reference = view
        else:
            weight = max(1 / self._learned, 1 - math.exp((self._at - now) / MEMORY))
            self._reference = self._reference + np.float32(weight) * (view - self._reference)
        self._at = now


def _edges(view: Floats) -> Floats:
    smooth = cv2.blur(view, (3, 3))
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    spread = math.sqrt(float((one * one).sum()) * float((other * other).sum()))
    # Where there are no edges, none are missing.
    return float((one * other).sum()) / spread if spread else 1.0
