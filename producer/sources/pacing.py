"""Decides when the next frame is due. Pure: the clock is an argument, and sleeping is left to the caller."""


class Ticker:
    """Ticks every `interval` seconds, without drift; a late caller starts a new rhythm instead of a burst.

    `spread` (0-1) shifts the ticks after the first by up to half an interval either way, so that a thousand cameras
    that are opened at once are not read at once ever after. 0.5 shifts nothing.
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
    """Makes time that passes of a recording's own timestamps: never backwards, and never with endless gaps.

    A step is believed if it goes forward by no more than `GAP` seconds, or three times the step before; so is a first
    step of up to `LONGEST` (a picture every six seconds, or every minute). Any other step is a jump, as recorders
    write them at a cut or over a pause, or a clock that stands still: it counts as much as the last believed one.
    """

    GAP, LONGEST = 5.0, 60.0

    def __init__(self) -> None:
        self._last: float | None = None
        self._step: float | None = None  # the last one that was believed
        self._at = 0.0

    def at(self, media: float, lasts: float) -> float:
        """The seconds from the first frame to the one with media time `media`, which is to be shown for `lasts`."""
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
    """Lays the time of a recording on the clock: the frame at second 3 is due 3 seconds after frame 0.

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
    """Lets at most `fps` frames a second pass by the clock, whatever timestamps say; 0 lets every frame pass.

    After a late frame the next ones may come early, by `slack` intervals, so that a source which keeps the rate itself
    loses none to its own unevenness. In n seconds never more than `fps` times n, and one or two, pass (the generic cell
    rate algorithm, ITU-T I.371).
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
