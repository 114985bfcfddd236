"""The flow of one lane's frames: slots and window put together. Pure."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from producer.lane.slots import Slots
from producer.lane.window import Window

REPLY_TIMEOUT = 5.0  # seconds; far above the staleness budget, after which a worker answers at once
FIRST_REST, LONGEST_REST = 0.5, 10.0
"""Seconds that a camera rests whose frames fail, longer each time: they are dead letters, and push out others."""
SLACK = 0.1  # seconds that a reply may take on its way, beyond queueing and computing


class OfCamera(Protocol):
    """Something that belongs to a camera, and flows."""

    @property
    def camera_id(self) -> str: ...


Item = TypeVar("Item", bound=OfCamera)


@dataclass(slots=True)
class _UnderWay(Generic[Item]):
    item: Item
    sent: float  # monotonic
    waited: float  # seconds from capture to sending, which are not the queue's


class Flow(Generic[Item]):
    """Decides whose turn it is and when. Times are monotonic seconds unless said otherwise.

    Each item holds a place in the window from `take` until it is answered, given up or freed.
    """

    def __init__(self, window: Window | None = None) -> None:
        self.window = window or Window()
        self.weight = 0.0
        """The sum of all its cameras' weights."""
        self._slots: Slots[Item] = Slots()
        self._weights: dict[str, float] = {}
        self._under_way: dict[str, _UnderWay[Item]] = {}  # by camera: each has one at most
        self._last_reply = float("-inf")
        self._failures: dict[str, int] = {}
        """How many frames of a camera failed, since one did not."""
        self._resting: dict[str, float] = {}
        """Cameras that have no turn before that moment."""

    @property
    def outstanding(self) -> int:
        """How many places are taken."""
        return len(self._under_way)

    @property
    def full(self) -> bool:
        """True if no place is free, whoever waits."""
        return len(self._under_way) >= self.window.size

    @property
    def waiting(self) -> int:
        """How many items wait for their turn."""
        return self._slots.waiting

    def weigh(self, camera_id: str, weight: float) -> None:
        """Set the camera's priority, from its next turn on."""
        self._slots.weigh(camera_id, weight)
        self.weight += weight - self._weights.get(camera_id, 0.0)
        self._weights[camera_id] = weight

    def forget(self, camera_id: str) -> Item | None:
        """The camera is no longer served here; returns its item that waited, which has no turn any more."""
        self.weight -= self._weights.pop(camera_id, 0.0)
        self._failures.pop(camera_id, None)
        return self._slots.forget(camera_id)

    def offer(self, item: Item) -> Item | None:
        """Let the item wait for its camera's turn; returns the older one that it replaces."""
        return self._slots.offer(item.camera_id, item)

    def withdraw(self, item: Item) -> None:
        """The item shall not wait for a turn any more."""
        self._slots.withdraw(item.camera_id, item)

    def take(self, now: float) -> Item | None:
        """The item whose turn it is now, if the window allows one; it is under way from here on."""
        if not self.window.allows(self.outstanding, now):
            return None
        item = self._slots.take()
        if item is not None:
            self._under_way[item.camera_id] = _UnderWay(item, now, 0.0)
        return item

    def under_way(self, camera_id: str) -> Item | None:
        """The camera's item that holds a place, if any."""
        entry = self._under_way.get(camera_id)
        return None if entry is None else entry.item

    def sent(self, item: Item, now: float, waited: float) -> None:
        """The item's frame went out, `waited` seconds after its capture."""
        entry = self._entry(item)
        if entry is not None:
            entry.sent, entry.waited = now, max(0.0, waited)

    def free(self, item: Item) -> bool:
        """The item gives up its place; returns whether it had one."""
        return self._free(self._entry(item))

    def failed(self, item: Item, now: float, *, queue_full: bool = False) -> None:
        """The item's frame did not reach the queue."""
        self.free(item)
        if queue_full:
            self.window.rejected(now)

    def answered(self, item: Item, queued: float, processing: float, now: float) -> None:
        """The result of the item's frame came: `queued` seconds from capture to worker, `processing` seconds there."""
        self._last_reply = now
        self._failures.pop(item.camera_id, None)
        limited = self.outstanding >= self.window.size
        entry = self._entry(item)
        if entry is None:  # given up before
            self.window.heard()
            return
        self._free(entry)
        round_trip = now - entry.sent
        # The worker's clock may be another machine's: our own says how long queueing can have taken, and must have.
        most = max(0.0, round_trip - processing)
        queued = min(max(queued - entry.waited, most - SLACK), most)
        self.window.answered(max(0.0, queued), round_trip, now, limited=limited)

    def refused(self, item: Item, now: float) -> None:
        """A worker answered that the item's frame failed: its place is free at once, and its camera rests.

        How long the answer took tells nothing of the queue: perhaps the frame was tried again and again.
        """
        self.heard(now)
        entry = self._entry(item)
        if entry is None or item.camera_id not in self._weights:
            self._free(entry)  # given up before, or no longer served here
            return
        del self._under_way[item.camera_id]
        failures = self._failures.get(item.camera_id, 0)
        self._failures[item.camera_id] = failures + 1
        self._resting[item.camera_id] = now + min(LONGEST_REST, FIRST_REST * 2.0 ** min(failures, 10))

    def end_rests(self, now: float) -> None:
        """Give turns again to cameras that have rested."""
        for camera_id in [each for each, until in self._resting.items() if until <= now]:
            del self._resting[camera_id]
            self._slots.done(camera_id)

    def heard(self, now: float) -> None:
        """The result of a frame came that nobody waits for any more: somebody works."""
        self._last_reply = now
        self.window.heard()

    def give_up(self, now: float, *, taken: bool = False) -> list[Item]:
        """Free the places of items that have waited too long for their reply; returns those items.

        `taken`: the queue is empty and has consumers, so their frames are not waiting there.
        """
        late = [entry for entry in self._under_way.values() if now - entry.sent > REPLY_TIMEOUT]
        for entry in late:
            self._free(entry)
        # Replies to later frames say that workers are there and this one was lost; silence says that none is.
        if not taken and late and all(entry.sent > self._last_reply for entry in late):
            self.window.silence(now)
        return [entry.item for entry in late]

    def reset(self) -> list[Item]:
        """Free all places, since no reply can come any more (the reply queue is gone); returns whose they were."""
        entries = list(self._under_way.values())
        for entry in entries:
            self._free(entry)
        return [entry.item for entry in entries]

    def _entry(self, item: Item) -> _UnderWay[Item] | None:
        entry = self._under_way.get(item.camera_id)
        return entry if entry is not None and entry.item is item else None

    def _free(self, entry: _UnderWay[Item] | None) -> bool:
        if entry is None:
            return False
        del self._under_way[entry.item.camera_id]
        self._slots.done(entry.item.camera_id)
        return True
