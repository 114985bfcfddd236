"""How late an event loop is: what waits for it, heartbeats and answers included, waits at least so long."""

import time
from collections.abc import Callable

LOOK_SECONDS = 0.25
"""Four looks a second cost less than a thousandth of a core, and no stall of a quarter of a second is overlooked."""

Cancel = Callable[[], None]
CallLater = Callable[[float, Callable[[], None]], Cancel]


def watch_lag(
    call_later: CallLater, observe: Callable[[float], None], clock: Callable[[], float] = time.monotonic
) -> Cancel:
    """Observe again and again by how many seconds a timer of the loop is late; returns what ends it.

    On the loop's thread. `call_later` is the loop's own, and returns what cancels the call.
    """

    due = clock() + LOOK_SECONDS
    cancel = call_later(LOOK_SECONDS, lambda: look())

    def look() -> None:
        nonlocal due, cancel
        now = clock()
        observe(max(0.0, now - due))
        due = now + LOOK_SECONDS
        cancel = call_later(LOOK_SECONDS, look)

    return lambda: cancel()
