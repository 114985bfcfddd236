"""The cameras that somebody watches, as gateways announce them."""

from collections.abc import Callable

from contract.status import WatchAnnouncement


class WatchedCameras:
    """Union of what every gateway announced, each for its time to live after receipt."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_gateway: dict[str, tuple[float, frozenset[str]]] = {}
        self._motion_until = float("-inf")

    def hear(self, announcement: WatchAnnouncement) -> None:
        """Replace what this gateway announced before."""
        self._by_gateway[announcement.gateway_id] = (
            self._clock() + announcement.ttl,
            frozenset(announcement.cameras),
        )
        if announcement.motion:
            self._motion_until = max(self._motion_until, self._clock() + announcement.ttl)

    @property
    def motion(self) -> bool:
        """Somebody may want frames that show motion and no face."""
        return self._clock() < self._motion_until

    def __contains__(self, camera_id: str) -> bool:
        now = self._clock()
        for gateway_id, (until, cameras) in list(self._by_gateway.items()):
            if until < now:
                del self._by_gateway[gateway_id]
            elif camera_id in cameras:
                return True
        return False
