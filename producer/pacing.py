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


class Playback:
    """Lays the media time of a file on the clock: frame at media second 3 is due 3 seconds after frame 0.

    A jump in the timestamps (backwards, or more than `gap` seconds ahead) and a player that fell behind by
    more than `late` seconds start a new rhythm.
    """

    def __init__(self, *, gap: float = 5.0, late: float = 0.5) -> None:
        self._gap = gap
        self._late = late
        self._offset: float | None = None
        self._last = 0.0

    def delay(self, media: float, now: float) -> float:
        """Seconds to wait from `now` (monotonic) until the frame with media time `media` is due."""
        jumped = media < self._last or media - self._last > self._gap
        self._last = media
        if self._offset is None or jumped or now - (media + self._offset) > self._late:
            self._offset = now - media
        return max(0.0, media + self._offset - now)


class Sampling:
    """Thins a stream to at most `fps` frames per second of media time; 0 lets every frame pass."""

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps if fps > 0 else 0.0
        self._next: float | None = None

    def wants(self, media: float) -> bool:
        """Whether the frame at media second `media` is one of the sample."""
        if not self._interval:
            return True
        # Half a millisecond of tolerance: timestamps of a file are rounded to its time base.
        if self._next is not None and self._next - self._interval <= media < self._next - 0.0005:
            return False
        behind = self._next is None or not 0 <= media - self._next < self._interval
        self._next = (media if behind or self._next is None else self._next) + self._interval
        return True
