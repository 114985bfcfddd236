"""How many frames a producer may have outstanding, so that frames wait about `target` seconds. Pure.

The rule is that of delay-based congestion control (Swift, SIGCOMM 2020): while frames wait less than the
target, one frame more per round trip; when they wait longer, a cut in proportion to the excess, once per round
trip. By how much it grows near the target is said from outside, so that producers come to their shares
(`producer/lane/neighbours.py`). At the start the window doubles per round trip until the delay shows.
"""

START = 4.0
CUT = 0.8  # how much of the excess one cut takes away
DEEPEST_CUT = 0.5
REJECTED_PAUSE = 0.5  # seconds without sending after the queue said that it is full
FIRST_SILENCE, LONGEST_SILENCE = 5.0, 300.0


class Window:
    """The window of one producer. Times are monotonic seconds, `size` is in frames."""

    def __init__(self, target: float = 0.2, largest: int = 500) -> None:
        self._target = target
        self._largest = float(largest)
        self._size = START
        self._gain = 1.0
        self._starting = True
        self._cut_at = 0.0
        self._paused_until = 0.0
        self._silence = 0.0

    @property
    def size(self) -> int:
        """Frames that may be outstanding, at least 1."""
        return int(self._size)

    @property
    def silent(self) -> bool:
        """True if no reply came for long: nobody seems to work."""
        return self._silence > 0

    def grow_by(self, frames: float) -> None:
        """Set by how many frames the window grows in a round trip near the target."""
        self._gain = frames

    def allows(self, outstanding: int, now: float) -> bool:
        """Return whether one frame more may be sent."""
        return outstanding < self.size and now >= self._paused_until

    def answered(self, queued: float, round_trip: float, now: float, *, limited: bool) -> None:
        """A result came whose frame waited `queued` seconds. `limited`: the window was full, so growing helps."""
        self.heard()
        if queued <= self._target:
            if self._starting and queued > self._target / 2:
                self._starting = False
            if limited:
                # Far below the target workers idle: then everybody hurries.
                gain = self._gain if queued > self._target / 2 else max(1.0, self._gain)
                self._size = min(self._largest, self._size + (1.0 if self._starting else gain / self._size))
            return
        self._starting = False
        if now - self._cut_at >= round_trip:
            self._cut_at = now
            excess = (queued - self._target) / queued
            self._size = max(1.0, self._size * max(1 - CUT * excess, 1 - DEEPEST_CUT))

    def heard(self) -> None:
        """Somebody works: any reply ends a silence."""
        if self._silence:
            self._silence = 0.0
            self._paused_until = 0.0

    def silence(self, now: float) -> None:
        """Frames were given up and nothing has been heard since they were sent: they wait in the queue.

        One frame at a time from now on, at growing distances, so that the queue does not fill while no worker runs.
        """
        self._silence = min(LONGEST_SILENCE, self._silence * 2 or FIRST_SILENCE)
        self._paused_until = now + self._silence
        self._size = 1.0
        self._starting = True

    def rejected(self, now: float) -> None:
        """The queue is full: halve, and leave it alone for a moment."""
        self._size = max(1.0, self._size / 2)
        self._starting = False
        self._paused_until = max(self._paused_until, now + REJECTED_PAUSE)
