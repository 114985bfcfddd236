"""The first pictures of slow cameras: who begins to watch one sees its newest frame at once, with its true age.

Workers send pictures of watched cameras alone, and a camera of a frame in ten seconds would be without one for as long.
They keep the newest frames of slow cameras; the gateway asks for those by id when a watch begins. Pure but for the hub.
"""

from collections.abc import Callable

from gateway.live.hub import Hub
from gateway.live.pictures import ReceivedPicture

ASKED_AT_ONCE = 256
"""Frames in one announcement, of which each worker reads every one; the others have the next one."""


class FirstPictures:
    """`slow(camera_id, now)`: whether the camera's next picture may take a while. `now` is monotonic seconds."""

    def __init__(self, hub: Hub, slow: Callable[[str, float], bool]) -> None:
        self._hub = hub
        self._slow = slow
        self._asked: dict[str, str] = {}  # by camera: the frame that was asked for and has not come

    def wanted(self, watched: frozenset[str], now: float) -> list[str]:
        """Frames to ask for now, while these cameras are watched; each told once, as long as it does not come."""
        lacking = {camera_id: self._hub.unpictured(camera_id) for camera_id in watched}
        self._asked = {
            each: frame_id for each, frame_id in self._asked.items() if lacking.get(each) == frame_id
        }
        asked = {}
        for camera_id, frame_id in lacking.items():
            if frame_id is not None and camera_id not in self._asked and self._slow(camera_id, now):
                asked[camera_id] = frame_id
            if len(asked) == ASKED_AT_ONCE:
                break
        self._asked |= asked
        return list(asked.values())

    def picture(self, picture: ReceivedPicture, now: float, wall: float) -> None:
        """Show a frame that was asked for to those who watch its camera."""
        result = picture.received.result
        if self._asked.get(result.camera_id) != result.frame_id:
            return
        del self._asked[result.camera_id]
        update = picture.received.update(now, wall, picture.picture, picture.content_type)
        self._hub.publish_picture(update, first=True)
