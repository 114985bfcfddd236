"""How often a camera's results come, and which silence is therefore usual. Pure: `now` is monotonic seconds."""

STALLED_AFTER_SECONDS = 10.0
WINDOW_SECONDS = 5.0
SLOWEST_SECONDS = 60.0
"""Between two results; a camera that takes longer has no pace."""
SLOW_SECONDS = 1.0
"""Between two results of a camera of which nobody waits long for the next one."""
WORTH_TELLING = 0.3
"""By how much of itself a rate changes before dashboards are told: half of them would hear of jitter otherwise."""


class ResultPace:
    """Results per second over windows of five seconds, or over one interval of a camera slower than that."""

    __slots__ = ("_begin", "_count", "_fps", "_told", "last")

    def __init__(self) -> None:
        self.last = float("-inf")
        self._begin = float("-inf")
        self._count = 0
        self._fps: float | None = None
        self._told: float | None = None

    def add(self, now: float) -> None:
        """Note that a result came."""
        passed = now - self._begin
        if passed > SLOWEST_SECONDS:
            self._begin, self._count, self._fps = now, 0, None
        elif passed >= WINDOW_SECONDS:
            self._fps = self._count / passed
            self._begin, self._count = now, 0
        self._count += 1
        self.last = now

    def silent(self, now: float) -> bool:
        """Whether nothing has come for ten seconds, or two intervals of a slow camera."""
        passed = now - self.last
        return passed > STALLED_AFTER_SECONDS and (self._fps is None or passed > 2 / self._fps)

    def fps(self, now: float) -> float | None:
        """The rate; None while it is not known, or the camera is silent."""
        return None if self.silent(now) else self._fps

    def slow(self, now: float) -> bool:
        """Whether the next result may take longer than a second."""
        return now - self.last > SLOW_SECONDS or (self._fps is not None and self._fps * SLOW_SECONDS < 1)

    def told(self, now: float) -> float | None:
        """The rate as dashboards know it: follows when it has changed enough to be worth a message."""
        fps, told = self.fps(now), self._told
        if fps is None or told is None or abs(fps - told) > WORTH_TELLING * max(fps, told):
            self._told = fps
        return self._told
