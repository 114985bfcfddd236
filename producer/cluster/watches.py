"""The cameras that somebody watches, and has just begun to. Pure: `now` is monotonic seconds."""

from collections.abc import Iterable


class Watches:
    """Knows them from the announcements of gateways, which repeat these while somebody looks."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def announced(self, cameras: Iterable[str], ttl: float, now: float) -> list[str]:
        """Take in an announcement for `ttl` seconds; returns the cameras in it that nobody looked at before."""
        self._until = {camera_id: until for camera_id, until in self._until.items() if until > now}
        new = []
        for camera_id in cameras:
            if camera_id not in self._until:
                new.append(camera_id)
            self._until[camera_id] = max(now + ttl, self._until.get(camera_id, 0.0))
        return new
