"""Whose frame is sent next: one newest-wins slot per camera, the cameras in turn. Pure."""

from typing import Generic, TypeVar

from producer.lane.turns import Turns

Item = TypeVar("Item")


class Slots(Generic[Item]):
    """At most one of a camera's items waits, and at most one is under way.

    A camera queues up when it has an item that waits and none under way: under overload every camera gets its share,
    by weight, however fast it offers.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Item] = {}
        self._busy: set[str] = set()
        self._line = Turns()  # each camera with a waiting item and none under way, once

    @property
    def waiting(self) -> int:
        """How many cameras have an item that waits."""
        return len(self._waiting)

    def offer(self, camera_id: str, item: Item) -> Item | None:
        """Put the newest item of a camera into its slot; returns the one that it replaces, if any."""
        replaced = self._waiting.get(camera_id)
        self._waiting[camera_id] = item
        if replaced is None and camera_id not in self._busy:
            self._line.join(camera_id)
        return replaced

    def weigh(self, camera_id: str, weight: float) -> None:
        """Set the camera's priority: `weight` frames for each one of a camera of weight 1."""
        self._line.weigh(camera_id, weight)

    def take(self) -> Item | None:
        """The item of the camera whose turn it is; the camera is busy until `done`."""
        camera_id = self._line.take()
        if camera_id is None:
            return None
        self._busy.add(camera_id)
        return self._waiting.pop(camera_id)

    def done(self, camera_id: str) -> None:
        """The camera's item is no longer under way: the next one may queue up."""
        if camera_id in self._busy:
            self._busy.remove(camera_id)
            if camera_id in self._waiting:
                self._line.join(camera_id)

    def withdraw(self, camera_id: str, item: Item) -> None:
        """This item shall no longer wait; nothing happens if it does not."""
        if self._waiting.get(camera_id) is item:
            del self._waiting[camera_id]
            self._line.leave(camera_id)

    def forget(self, camera_id: str) -> Item | None:
        """The camera is no longer served here; returns its waiting item. One under way is still `done` in time."""
        self._line.forget(camera_id)
        return self._waiting.pop(camera_id, None)
