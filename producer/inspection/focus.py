"""Defocused: the picture is there, and soft."""

from producer.inspection.alarm import Alarm, Baseline

LIGHT = 64.0  # grey level that the brightest twentieth must reach: in less, noise passes for sharpness
RISE, FALL = 60.0, 30.0  # seconds: a lens that hunts for its focus takes less
MEMORY = 6 * 3600.0  # seconds
SOFT, SHARP = 0.4, 0.6  # of the usual sharpness


class Defocused:
    """Compares the sharpness with what it usually is for this camera: views differ tenfold, one view does not.

    What is usual is learned from looks that are not suspect, so a camera stays defocused until it is sharp again or
    the view is accepted as it is. `now` is monotonic seconds.
    """

    def __init__(self) -> None:
        self._alarm = Alarm(RISE, FALL)
        self._usual = Baseline(MEMORY)

    def look(self, sharpness: float, bright: float, now: float) -> bool:
        """Take in one look (`producer.inspection.levels` says what they are); returns whether it is defocused."""
        if bright < LIGHT or not sharpness:  # too dark, or too plain to have edges
            return self._alarm.on
        usual = self._usual.value
        suspect = usual is not None and sharpness < usual * (SHARP if self._alarm.on else SOFT)
        if not suspect:
            self._usual.learn(sharpness, now)
        return self._alarm.look(suspect, now)

    def restart(self) -> None:
        """The camera was away."""
        self._alarm.restart()

    def forget(self) -> None:
        """The camera looks elsewhere now."""
        self._alarm, self._usual = Alarm(RISE, FALL), Baseline(MEMORY)
