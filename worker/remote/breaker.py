"""Stops calling an endpoint that only fails. Pure: the clock is handed in."""

from collections.abc import Callable

FAILURES = 10
"""In a row. Of calls of which every third fails, ten in a row do so once in fifty thousand."""
FIRST_SECONDS = 10.0
LONGEST_SECONDS = 120.0


class Breaker:
    """Closed, it lets all calls through; open, none; when its time is over, one, which decides."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rest = FIRST_SECONDS
        self._until: float | None = None
        self._probing = False

    @property
    def open(self) -> bool:
        """Not all calls go through."""
        return self._until is not None

    @property
    def wait(self) -> float:
        """Seconds until a call may try; 0 now."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def admits(self) -> bool:
        """Tell whether a call may go out now. The one that tries has to end in `succeeded`, `failed` or `left`."""
        if self._until is None:
            return True
        if self._probing or self.wait > 0:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The endpoint has answered."""
        self._failures, self._rest, self._until, self._probing = 0, FIRST_SECONDS, None, False

    def failed(self) -> None:
        """It has not."""
        self._failures += 1
        if self._until is not None:
            if not self._probing:
                return  # a call of before: it is known that they fail
            self._rest = min(LONGEST_SECONDS, 2 * self._rest)
        elif self._failures < FAILURES:
            return
        self._until, self._probing = self._clock() + self._rest, False

    def left(self) -> None:
        """The call that tried has told nothing."""
        self._probing = False
