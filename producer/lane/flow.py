"""Flow control of one producer: slots, window and what is outstanding, put together. Pure."""

import itertools
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from producer.lane.slots import Slots
from producer.lane.window import Window

REPLY_TIMEOUT = 5.0  # seconds; far above the staleness budget, after which a worker answers at once
SLACK = 0.1  # seconds that a reply may take on its way, beyond queueing and computing


class Identified(Protocol):
    """What flows: a frame of a camera."""

    @property
    def camera_id(self) -> str: ...

    @property
    def frame_id(self) -> str: ...


Item = TypeVar("Item", bound=Identified)


@dataclass(slots=True)
class _Outstanding:
    camera_id: str
    sent: float  # monotonic
    waited: float  # seconds from capture to sending, which are not the queue's


class Flow(Generic[Item]):
    """Decides what is sent and when. Times are monotonic seconds unless said otherwise."""

    def __init__(self, window: Window | None = None) -> None:
        self.window = window or Window()
        self._slots: Slots[Item] = Slots()
        self._weights: dict[str, float] = {}
        self.weight = 0.0
        """Of all its cameras."""
        self._outstanding: dict[str, _Outstanding] = {}  # by frame_id, in the order of sending
        self._last_reply = float("-inf")

    @property
    def outstanding(self) -> int:
        """Frames sent and not yet answered, given up or refused."""
        return len(self._outstanding)

    @property
    def cameras(self) -> int:
        """Those that have a weight."""
        return len(self._weights)

    @property
    def waiting(self) -> int:
        """Frames in slots."""
        return self._slots.waiting

    def knows(self, frame_id: str) -> bool:
        """Whether this frame is outstanding."""
        return frame_id in self._outstanding

    def offer(self, item: Item) -> Item | None:
        """A camera's newest frame; returns the older one that it replaces."""
        return self._slots.offer(item.camera_id, item)

    def weigh(self, camera_id: str, weight: float) -> None:
        """The camera's priority, from its next turn on."""
        self._slots.weigh(camera_id, weight)
        self.weight += weight - self._weights.get(camera_id, 0.0)
        self._weights[camera_id] = weight

    def forget(self, camera_id: str) -> Item | None:
        """The camera is no longer served here; returns the frame that waited, which nobody sends any more."""
        self.weight -= self._weights.pop(camera_id, 0.0)
        return self._slots.forget(camera_id)

    def take(self, now: float) -> Item | None:
        """The frame to send now, if the window allows one; it is outstanding from here on."""
        if not self.window.allows(self.outstanding, now):
            return None
        item = self._slots.take()
        if item is not None:
            self._outstanding[item.frame_id] = _Outstanding(item.camera_id, now, 0.0)
        return item

    def exchange(self, before: str, after: str) -> bool:
        """The place of one item goes to another of the same camera. False if it has been freed meanwhile."""
        entry = self._outstanding.pop(before, None)
        if entry is None:
            return False
        self._outstanding[after] = entry
        return True

    def sent(self, frame_id: str, now: float, waited: float) -> None:
        """The frame went out, `waited` seconds after its capture."""
        entry = self._outstanding.get(frame_id)
        if entry is not None:
            entry.sent, entry.waited = now, max(0.0, waited)

    def failed(self, frame_id: str, now: float, *, queue_full: bool = False) -> None:
        """The frame did not reach the queue."""
        self._free(frame_id)
        if queue_full:
            self.window.rejected(now)

    def answered(self, frame_id: str, queued: float, processing: float, now: float) -> None:
        """The frame's result came: it says `queued` seconds from capture to worker and `processing` seconds."""
        self._last_reply = now
        limited = self.outstanding >= self.window.size
        entry = self._free(frame_id)
        if entry is None:  # given up before
            self.window.heard()
            return
        round_trip = now - entry.sent
        # The worker's clock may be another machine's: our own says how long queueing can have taken, and must have.
        most = max(0.0, round_trip - processing)
        queued = min(max(queued - entry.waited, most - SLACK), most)
        self.window.answered(max(0.0, queued), round_trip, now, limited=limited)

    def give_up(self, now: float, *, taken: bool = False) -> list[str]:
        """Free what has waited too long for its reply; returns the camera of each such frame.

        `taken`: the queue is empty and has consumers, so the frames are not waiting there.
        """
        late = itertools.takewhile(lambda pair: now - pair[1].sent > REPLY_TIMEOUT, self._outstanding.items())
        entries = self._free_all([frame_id for frame_id, _ in late])
        # Replies to later frames say that workers are there and this one was lost; silence says that none is.
        if not taken and entries and all(entry.sent > self._last_reply for entry in entries):
            self.window.silence(now)
        return [entry.camera_id for entry in entries]

    def reset(self) -> list[str]:
        """No reply can come any more (the reply queue is gone); returns the camera of each frame freed."""
        return [entry.camera_id for entry in self._free_all(list(self._outstanding))]

    def _free_all(self, frame_ids: list[str]) -> list[_Outstanding]:
        return [entry for frame_id in frame_ids if (entry := self._free(frame_id)) is not None]

    def _free(self, frame_id: str) -> _Outstanding | None:
        entry = self._outstanding.pop(frame_id, None)
        if entry is not None:
            self._slots.done(entry.camera_id)
        return entry
