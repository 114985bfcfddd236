"""When the next frame is due. Pure: the clock is an argument, sleeping is the caller's."""


class Ticker:
    """Every `interval` seconds, without drift; who comes late starts a new rhythm instead of a burst.

    `spread` (0-1) shifts the ticks after the first by up to half an interval either way: a thousand cameras that
    are opened at once shall not be read at once ever after. 0.5 shifts nothing.
    """

    def __init__(self, interval: float, *, spread: float = 0.5) -> None:
        self._interval = interval
        self._shift = (spread - 0.5) * interval
        self._due: float | None = None

    def delay(self, now: float) -> float:
        """Seconds to wait from `now` (monotonic) until the next tick; counts as having taken it."""
        if self._due is None:
            self._due = now + self._interval + self._shift
            return 0.0
        if now - self._due > self._interval:
            self._due = now
        wait = max(0.0, self._due - now)
        self._due += self._interval
        return wait


class Timeline:
    """A recording's own timestamps made into time that passes: never backwards, and never without an end.

    A step is believed if it is forward and no more than `GAP` seconds or three times the one before; so is a first
    step of up to `LONGEST` (a picture every six seconds, or every minute). Any other is a jump, as recorders write
    them at a cut or over a pause, or a clock that stands still: it counts as much as the last step that was believed.
    """

    GAP, LONGEST = 5.0, 60.0

    def __init__(self) -> None:
        self._last: float | None = None
        self._step: float | None = None  # the last one that was believed
        self._at = 0.0

    def at(self, media: float, lasts: float) -> float:
        """Seconds since the first frame of the one with media time `media`; `lasts`: how long it says it is shown."""
        if self._last is not None:
            step = media - self._last
            most = self.LONGEST if self._step is None else max(self.GAP, 3 * self._step)
            if 0 < step <= most:
                self._step = step
            elif self._step is not None:
                step = self._step
            else:
                step = self.GAP if step > 0 else min(max(lasts, 0.001), self.GAP)
            self._at += step
        self._last = media
        return self._at


class Playback:
    """Lays the time of a recording on the clock: frame at second 3 is due 3 seconds after frame 0.

    A player that fell behind by more than `late` seconds starts a new rhythm.
    """

    def __init__(self, *, late: float = 0.5) -> None:
        self._late = late
        self._offset: float | None = None

    def delay(self, at: float, now: float) -> float:
        """Seconds to wait from `now` (monotonic) until the frame at second `at` of a Timeline is due."""
        if self._offset is None or now - (at + self._offset) > self._late:
            self._offset = now - at
        return max(0.0, at + self._offset - now)


class Sampling:
    """Thins a recording to at most `fps` frames per second of its Timeline; 0 lets every frame pass."""

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps if fps > 0 else 0.0
        self._next = 0.0

    def wants(self, at: float) -> bool:
        """Whether the frame at second `at` is one of the sample."""
        # Half a millisecond of tolerance: timestamps of a file are rounded to its time base.
        if at < self._next - 0.0005:
            return False
        behind = at - self._next >= self._interval
        self._next = (at if behind else self._next) + self._interval
        return True


class Rate:
    """At most `fps` frames a second by the clock, whatever timestamps say; 0 lets every frame pass.

    Frames that were late let the next ones come early, by `slack` intervals: a source that keeps the rate itself loses
    none to its own unevenness, and n seconds never have more than `fps` times n, and one or two
    (the generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, fps: float, *, slack: float = 0.5) -> None:
        self._interval = 1 / fps if fps > 0 else 0.0
        self._slack = slack * self._interval
        self._due = float("-inf")

    def wants(self, now: float) -> bool:
        """Whether a frame that comes at `now` (monotonic) is one of those that pass."""
        if not self._interval:
            return True
        if now < self._due - self._slack:
            return False
        self._due = max(now, self._due) + self._interval
        return True
