"""The cameras that were taken out of the file lately: said for a while, since a heartbeat may be lost. Pure.

Without it nobody can tell a camera that its operator removed from one that a producer lost.
"""

from collections.abc import Collection

SAID_SECONDS = 60.0
"""Longer than a gateway takes to restart, or to find its broker again."""


class Removals:
    """What `follow` saw go, until it comes back or `SAID_SECONDS` are over. `now` is monotonic seconds."""

    def __init__(self, cameras: Collection[str]) -> None:
        self._cameras = frozenset(cameras)
        self._removed: dict[str, float] = {}

    def follow(self, cameras: Collection[str], now: float) -> None:
        """Take on what the file names now."""
        gone = self._cameras - frozenset(cameras)
        self._cameras = frozenset(cameras)
        self._removed.update(dict.fromkeys(gone, now))
        for camera_id in self._cameras & self._removed.keys():
            del self._removed[camera_id]

    def lately(self, now: float) -> list[str]:
        """Those to be named in the next heartbeat."""
        self._removed = {
            camera_id: since for camera_id, since in self._removed.items() if now - since <= SAID_SECONDS
        }
        return list(self._removed)
