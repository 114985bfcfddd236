"""The wait for something to become true: one helper, so that nothing sleeps for a fixed time."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class WaitObserver(Protocol):
    """An observer that is told now and then how long a wait has taken, in seconds."""

    def __call__(self, elapsed: float, /) -> None: ...


def wait_until(
    probe: Callable[[], T | None],
    timeout: float,
    *,
    progress: WaitObserver | None = None,
    interval: float = 0.05,
) -> T | None:
    """Call `probe` until it returns something true, and return that; None after `timeout` seconds.

    An exception of the probe ends the wait: that is how a probe says that waiting is hopeless.
    """
    begin = time.monotonic()
    while not (answer := probe()):
        elapsed = time.monotonic() - begin
        if elapsed >= timeout:
            return None
        if progress is not None:
            progress(elapsed)
        time.sleep(min(interval, timeout - elapsed))
    return answer
