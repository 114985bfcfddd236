"""When a wish is said again on `control`. Pure but for its callback; `now` is monotonic.

Announcements are transient, so they are repeated: often while a node lags behind, else now and then, which is how
another gateway learns of them.
"""

from collections.abc import Callable
from typing import Generic

from gateway.desired.wish import Desired

REPEAT_SECONDS = 5.0
LAGGING_SECONDS = 1.0


class Announcements(Generic[Desired]):
    """Says what is desired through `announce`, as often as it helps."""

    def __init__(self, announce: Callable[[Desired], None]) -> None:
        self._announce: Callable[[Desired], None] = announce
        self._last = float("-inf")

    def tell(self, desired: Desired, now: float) -> None:
        """Say it now: it changed, or the broker is back. Silent while nobody has ever desired anything."""
        if desired.revision:
            self._last = now
            self._announce(desired)

    def follow(self, desired: Desired, now: float, *, lagging: bool) -> None:
        """Say it if it is time; `lagging`: a node reports an older revision."""
        if now - self._last >= (LAGGING_SECONDS if lagging else REPEAT_SECONDS):
            self.tell(desired, now)
