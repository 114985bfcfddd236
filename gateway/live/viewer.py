"""One client, as the hub sees it: what it understands and wants, and the bounded buffer of what waits for it.

Pure and synchronous.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.live.buffers import Buffer, InOrder, Newest
from gateway.live.update import NOTHING, Subscription, Update, carried

MAX_PICTURE_BYTES = 64 * 1024 * 1024
CLOCK_RESET_SECONDS = 5.0
PICTURE_SILENCE_SECONDS = 2.0
FRAMES_DEPTH = 16


class ViewerKind(Enum):
    """What a viewer understands."""

    PLAIN = "plain"  # one JSON result per message: every result, in the order of arrival
    LATEST = "latest"  # one JSON result per message: the newest of each camera
    FRAMES = "frames"  # the same, with the picture in base64 for the cameras it names
    DASHBOARD = "dashboard"  # batches, pictures of their own, states of cameras and nodes

    @property
    def every(self) -> bool:
        """Whether such a viewer gets every result, those too that are older than what came before."""
        return self is ViewerKind.PLAIN

    def buffer(self) -> Buffer:
        """An empty buffer for what waits. FRAMES see some of what comes in one read; views paint the last."""
        return InOrder() if self.every else Newest(FRAMES_DEPTH if self is ViewerKind.FRAMES else 1)


@dataclass(frozen=True, slots=True)
class Withheld:
    """The cameras whose pictures a viewer wants and does not get: those that nobody knows, and those for which there is
    no room because others have a right to it."""

    unknown: frozenset[str] = frozenset()
    crowded: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.unknown) + len(self.crowded)


class Company(Protocol):
    """The viewers that are served together, as one of them knows it: its `Audience`."""

    def fall_behind(self, viewer: "Viewer", rest: list[Update] | None = None) -> None:
        """Take a viewer out of step that cannot be written to now; it did not get `rest`."""

    def catch_up(self, viewer: "Viewer") -> None:
        """Put a viewer that can be written to in step again, if it lacks nothing."""


class Viewer:
    """One client's buffer. `wake` is called when there is something to take; it must only set a flag."""

    def __init__(self, kind: ViewerKind, wake: Callable[[], None], holders: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.holders = holders
        """For whom its share is counted (`gateway.security.holders`)."""
        self.subscription = NOTHING
        self.audience: Company | None = None
        """With whom it is served, while it is in the hub."""
        self.wake = wake
        self.results = kind.buffer()
        self._pictures: dict[str, Update] = {}
        self.picture_bytes = 0
        """Bytes of pictures in the buffer."""
        self._cameras: dict[str, bytes] = {}
        self._nodes: bytes | None = None
        self.withheld = Withheld()
        """The pictures that it goes without."""
        self._to_be_told = False
        self._watching_since: dict[str, float] = {}
        self._shown: dict[str, Update] = {}  # of watched cameras, for ViewerKind.FRAMES

    # --- taking: what the sender calls -------------------------------------------------------------------

    def take_results(self, limit: int) -> list[Update]:
        """Up to `limit` results, oldest camera first; they are no longer in the buffer."""
        return self.results.take(limit)

    def take_picture(self) -> Update | None:
        """The picture that waited longest."""
        if not self._pictures:
            return None
        update = self._pictures.pop(next(iter(self._pictures)))
        self.picture_bytes -= len(update.picture)
        return update

    def take_cameras(self) -> list[bytes]:
        """States of cameras as JSON objects."""
        taken = list(self._cameras.values())
        self._cameras.clear()
        return taken

    def take_nodes(self) -> bytes | None:
        """The list of nodes as JSON."""
        taken, self._nodes = self._nodes, None
        return taken

    def take_withheld(self) -> Withheld | None:
        """The pictures that it goes without, if it has not been told."""
        taken = self.withheld if self._to_be_told else None
        self._to_be_told = False
        return taken

    @property
    def pending(self) -> int:
        """Messages in the buffer."""
        others = (self._nodes is not None) + self._to_be_told
        return len(self.results) + len(self._pictures) + len(self._cameras) + others

    # --- filling: what the hub calls ---------------------------------------------------------------------

    def offer_result(self, update: Update, picture: Update | None) -> None:
        """`picture` is the camera's latest one."""
        if self.kind is ViewerKind.FRAMES and update.camera_id in self.subscription.pictures:
            since = self._watching_since[update.camera_id]
            last = since if picture is None else max(since, picture.arrival)
            if update.arrival - last <= PICTURE_SILENCE_SECONDS:
                return  # its picture comes, or has come
            self._shown[update.camera_id] = update
        elif not self.kind.every and carried(update, picture, self.subscription):
            return
        self.results.add(update)
        self.wake()

    def offer_picture(self, update: Update) -> None:
        camera_id = update.camera_id
        if self.kind is ViewerKind.FRAMES:
            shown = self._shown.get(camera_id)
            if shown is not None and (
                shown.frame_id == update.frame_id
                or (
                    update.captured < shown.captured and update.arrival - shown.arrival <= CLOCK_RESET_SECONDS
                )
            ):
                return
            self.results.forget(camera_id)
        old = self._pictures.get(camera_id)
        self.picture_bytes += len(update.picture) - (len(old.picture) if old else 0)
        self._pictures[camera_id] = update  # in the old one's place: whoever waited longest is still next
        while self.picture_bytes > MAX_PICTURE_BYTES and len(self._pictures) > 1:
            self.take_picture()
        self.wake()

    def offer_camera(self, camera_id: str, item: bytes) -> None:
        self._cameras[camera_id] = item
        self.wake()

    def offer_nodes(self, items: bytes) -> None:
        self._nodes = items
        self.wake()

    def withhold(self, withheld: Withheld) -> None:
        """Note which pictures it goes without; a dashboard is told when they are others than before."""
        if withheld == self.withheld:
            return
        self.withheld = withheld
        if self.kind is ViewerKind.DASHBOARD:
            self._to_be_told = True
            self.wake()

    def want(self, subscription: Subscription, now: float, wanted: Callable[[Update], bool]) -> None:
        """Take over a new subscription and forget what it no longer covers: results that are not `wanted`."""
        self.subscription = subscription
        self._watching_since = {c: self._watching_since.get(c, now) for c in subscription.pictures}
        self.results.keep(wanted)
        self._pictures = {c: u for c, u in self._pictures.items() if subscription.includes_picture(u)}
        self.picture_bytes = sum(len(update.picture) for update in self._pictures.values())
        self._shown = {c: update for c, update in self._shown.items() if c in subscription.pictures}
        withheld = self.withheld
        self.withhold(
            Withheld(withheld.unknown & subscription.pictures, withheld.crowded & subscription.pictures)
        )

    def forget(self, camera_id: str) -> None:
        self.results.forget(camera_id)
        self._cameras.pop(camera_id, None)
        self._shown.pop(camera_id, None)

    def clear(self) -> None:
        self.want(NOTHING, 0.0, lambda update: False)
        self._cameras.clear()
        self._nodes = None
