"""Frozen: the camera answers, with the same picture for ever."""

from collections import deque
from statistics import median

PATIENCE, LONGEST_PATIENCE = 60.0, 900.0  # seconds
SPANS, USUAL_FROM = 8, 3
FACTOR = 3.0


class Frozen:
    """Judges by identity alone: a sensor's noise makes no two pictures of the stillest scene the same.

    "Same" therefore means every byte of the file, or every pixel of a decoded frame, never "no motion". A video
    encoder may repeat a still scene exactly until its next key frame, hence the minute of patience. A camera that
    renews its picture only every few minutes is told frozen at first; after three such spans three times their median
    is its patience, up to a quarter of an hour. `now` is monotonic seconds.
    """

    def __init__(self) -> None:
        self.on = False
        self._since: float | None = None  # of the picture that is shown now
        self._spans: deque[float] = deque(maxlen=SPANS)

    @property
    def patience(self) -> float:
        """Seconds for which the same picture is nothing unusual."""
        if len(self._spans) < USUAL_FROM:
            return PATIENCE
        return min(LONGEST_PATIENCE, max(PATIENCE, FACTOR * median(self._spans)))

    def same_for(self, now: float) -> float:
        """Seconds since the picture changed."""
        return 0.0 if self._since is None else now - self._since

    def look(self, same: bool, now: float) -> bool:
        """Take in one look: whether the picture is the one before; returns whether the camera is frozen.

        It is no longer when its picture changes twice within its patience: one that freezes again is still frozen.
        """
        if self._since is None:
            self._since = now
            return self.on
        span = self.same_for(now)
        if same:
            self.on = self.on or span > self.patience
            return self.on
        if span > PATIENCE / 2:
            self._spans.append(span)
        self._since = now
        if span <= self.patience:
            self.on = False
        return self.on

    def restart(self) -> None:
        """The camera was away: the time until now is not its picture's."""
        self._since = None
