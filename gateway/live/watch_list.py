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

    def follow(self, wanted: frozenset[str], now: float) -> None:
        """Bring the broker in line with the first MAX_WATCHED that are `wanted`; call on every change and at least once
        a second."""
        if len(wanted) > MAX_WATCHED:
            wanted = frozenset(sorted(wanted)[:MAX_WATCHED])
        changed = False
        for camera_id in self._left(wanted, now):
            del self._watched[camera_id]
            self._bind(camera_id, False)
            changed = True
        for camera_id in wanted:
            if camera_id not in self._watched:
                self._bind(camera_id, True)
                changed = True
        self._watched.update(dict.fromkeys(wanted, now))
        # Also when nothing is watched: by it gateways are counted (gateway.consumers).
        if changed or now - self._announced >= ANNOUNCE_SECONDS:
            self.announce(now)

    def announce(self, now: float) -> None:
        """Tell the workers now, for example after a reconnect."""
        self._announced = now
        self._announce(self.cameras)

    def _left(self, wanted: frozenset[str], now: float) -> list[str]:
        """The cameras to be left: those whose grace is over, and as many more as others need the room."""
        left = sorted(
            (last, camera_id) for camera_id, last in self._watched.items() if camera_id not in wanted
        )
        kept = len(left) - sum(now - last > GRACE_SECONDS for last, _ in left)
        room = max(0, MAX_WATCHED - len(wanted))
        return [camera_id for _, camera_id in left[: len(left) - min(kept, room)]]
