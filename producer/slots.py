"""Which frame is sent next: one newest-wins slot per camera, the cameras in turn. Pure."""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Slots(Generic[Item]):
    """One waiting frame per camera, and at most one of a camera's frames under way.

    A camera queues up when it has a frame to send and none under way, and goes to the end of the line after
    each frame: under overload every camera gets the same share, however fast it offers.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Item] = {}
        self._busy: set[str] = set()
        self._line: deque[str] = deque()  # each camera with a waiting frame and none under way, once

    @property
    def waiting(self) -> int:
        """Cameras with a frame that waits."""
        return len(self._waiting)

    def offer(self, camera_id: str, item: Item) -> Item | None:
        """Put the newest frame of a camera into its slot; returns the frame that it replaces, if any."""
        replaced = self._waiting.get(camera_id)
        self._waiting[camera_id] = item
        if replaced is None and camera_id not in self._busy:
            self._line.append(camera_id)
        return replaced

    def take(self) -> Item | None:
        """The frame of the camera whose turn it is; the camera is busy until `done`."""
        if not self._line:
            return None
        camera_id = self._line.popleft()
        self._busy.add(camera_id)
        return self._waiting.pop(camera_id)

    def done(self, camera_id: str) -> None:
        """The camera's frame is no longer under way: it may queue up again."""
        if camera_id in self._busy:
            self._busy.remove(camera_id)
            if camera_id in self._waiting:
                self._line.append(camera_id)
