"""Black and blinded: pictures come and show nothing. `now` is monotonic seconds."""

from producer.inspection.alarm import Alarm, Baseline
from producer.inspection.levels import Levels

BLACK, NOT_BLACK = 32.0, 40.0  # grey levels; black is 16 in a video's own range, 0 in a JPEG's
RISE, FALL = 10.0, 5.0  # seconds: somebody who walks past the lens takes less
MEMORY = 3600.0  # seconds
PLAIN = 0.004  # structure of a surface without anything on it, whatever the camera usually sees
COVERED, UNCOVERED = 0.25, 0.4  # of the usual structure
GLARING, NOT_GLARING = 0.5, 0.65  # of the usual share of pixels that are not saturated


class Black:
    """Nothing is lighter than black: no light, no signal, or a cap on the lens.

    Absolute on purpose: a camera that is black every night shows nothing every night.
    """

    def __init__(self) -> None:
        self._alarm = Alarm(RISE, FALL)

    @property
    def suspect(self) -> bool:
        """True if the last look was suspect, though it may be too soon for the alarm."""
        return self._alarm.suspect

    def look(self, levels: Levels, now: float) -> bool:
        """Take in one look; returns whether the camera is black."""
        return self._alarm.look(levels.bright < (NOT_BLACK if self._alarm.on else BLACK), now)

    def restart(self) -> None:
        """The camera was away."""
        self._alarm.restart()


class Blinded:
    """Light, but hardly anything to see: glare, or a hand, paint, fog or a "no signal" screen before the scene.

    Measured against what this camera usually sees, which is learned from looks that are not suspect.
    """

    def __init__(self) -> None:
        self._alarm = Alarm(RISE, FALL)
        self._structure = Baseline(MEMORY)
        self._visible = Baseline(MEMORY)

    @property
    def suspect(self) -> bool:
        """True if the last look was suspect, though it may be too soon for the alarm."""
        return self._alarm.suspect

    def look(self, levels: Levels, now: float) -> bool:
        """Take in one look; returns whether the camera is blinded. A black picture is not judged."""
        if levels.bright < NOT_BLACK:
            return self._alarm.on
        suspect = self._suspect(levels)
        if not suspect:
            self._structure.learn(levels.structure, now)
            self._visible.learn(levels.visible, now)
        return self._alarm.look(suspect, now)

    def restart(self) -> None:
        """The camera was away."""
        self._alarm.restart()

    def forget(self) -> None:
        """The camera looks elsewhere now."""
        self._structure, self._visible = Baseline(MEMORY), Baseline(MEMORY)

    def _suspect(self, levels: Levels) -> bool:
        on = self._alarm.on
        if levels.structure < PLAIN:
            return True
        structure, visible = self._structure.value, self._visible.value
        return (structure is not None and levels.structure < structure * (UNCOVERED if on else COVERED)) or (
            visible is not None and levels.visible < visible * (NOT_GLARING if on else GLARING)
        )
