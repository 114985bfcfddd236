"""Watched cameras: which pictures this gateway wants from the workers, and telling them. Pure but for two callbacks.

A camera stays watched for a short grace after the last viewer left it, so that scrolling a wall does not re-bind.
"""

from collections.abc import Callable

ANNOUNCE_SECONDS = 3.0
GRACE_SECONDS = 5.0
MAX_WATCHED = 1_000


class WatchList:
    """Follows what viewers want. `bind(camera, on)` and `announce(cameras)` act on the broker. `now` is monotonic."""

    def __init__(self, bind: Callable[[str, bool], None], announce: Callable[[list[str]], None]) -> None:
        self._bind = bind
        self._announce = announce
        self._watched: dict[str, float] = {}  # and when somebody last wanted it
        self._announced = float("-inf")

    @property
    def cameras(self) -> list[str]:
        """What is watched, grace included."""
        return sorted(self._watched)

    def follow(self, wanted: frozenset[str], now: float, briefly: frozenset[str] = frozenset()) -> None:
        """Bring the broker in line with `wanted`; call on every change and at least once a second.

        `briefly` are wanted as well, for one picture: without the grace, and where there is room.
        """
        changed = False
        for camera_id in [
            c
            for c, last in self._watched.items()
            if c not in wanted and c not in briefly and now - last > GRACE_SECONDS
        ]:
            del self._watched[camera_id]
            self._bind(camera_id, False)
            changed = True
        for camera_id in wanted:
            if camera_id not in self._watched:
                if len(self._watched) >= MAX_WATCHED:
                    continue
                self._bind(camera_id, True)
                changed = True
            self._watched[camera_id] = now
        for camera_id in briefly:
            if camera_id not in self._watched and len(self._watched) < MAX_WATCHED:
                self._watched[camera_id] = float("-inf")
                self._bind(camera_id, True)
                changed = True
        # Also when nothing is watched: by it gateways are counted (gateway.consumers).
        if changed or now - self._announced >= ANNOUNCE_SECONDS:
            self.announce(now)

    def announce(self, now: float) -> None:
        """Tell the workers now, for example after a reconnect."""
        self._announced = now
        self._announce(self.cameras)
