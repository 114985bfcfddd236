"""What one client wants, and the bounded newest-wins buffer of what waits for it. Pure and synchronous."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

MAX_PICTURE_BYTES = 64 * 1024 * 1024
CLOCK_RESET_SECONDS = 5.0
PICTURE_SILENCE_SECONDS = 2.0
PLAIN_DEPTH = 16


class Kind(Enum):
    """What a viewer understands."""

    PLAIN = "plain"  # one JSON result per message
    FRAMES = "frames"  # the same, with the picture in base64 for the cameras it names
    DASHBOARD = "dashboard"  # batches, pictures of their own, states of cameras and nodes


@dataclass(frozen=True, slots=True)
class Subscription:
    """The cameras whose results (None: all) and whose pictures a viewer wants."""

    cameras: frozenset[str] | None = None
    pictures: frozenset[str] = frozenset()

    def includes(self, camera_id: str) -> bool:
        return self.cameras is None or camera_id in self.cameras


@dataclass(slots=True, eq=False)
class Update:
    """One result as it came (`body`, JSON), or one picture with its own result. `arrival` is monotonic seconds.

    `forms` keeps what the protocols made of it, so that it is made once whatever the number of viewers.
    """

    camera_id: str
    frame_id: str
    original_timestamp: float
    arrival: float
    body: bytes
    picture: bytes = b""
    content_type: str = ""
    forms: dict[str, bytes] = field(default_factory=dict)


class Viewer:
    """One client's buffer. `wake` is called when there is something to take; it must only set a flag."""

    def __init__(self, kind: Kind, wake: Callable[[], None]) -> None:
        self.kind = kind
        self.subscription = Subscription()
        self.wake = wake
        # A healthy plain client sees every result, also when two of a camera come in one read; ours paints the last.
        self._depth = 1 if kind is Kind.DASHBOARD else PLAIN_DEPTH
        self._results: dict[str, deque[Update]] = {}
        self._pictures: dict[str, Update] = {}
        self._picture_bytes = 0
        self._cameras: dict[str, bytes] = {}
        self._nodes: bytes | None = None
        self._watching_since: dict[str, float] = {}
        self._shown: dict[str, Update] = {}  # of watched cameras, for Kind.FRAMES

    # --- taking: what the sender calls -------------------------------------------------------------------

    def take_results(self, limit: int) -> list[Update]:
        """Up to `limit` results, oldest camera first; they are no longer in the buffer."""
        taken: list[Update] = []
        while self._results and len(taken) < limit:
            camera_id = next(iter(self._results))
            taken.extend(self._results.pop(camera_id))
        return taken

    def take_picture(self) -> Update | None:
        """The picture that waited longest."""
        if not self._pictures:
            return None
        update = self._pictures.pop(next(iter(self._pictures)))
        self._picture_bytes -= len(update.picture)
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

    @property
    def pending(self) -> int:
        """Messages in the buffer."""
        results = sum(map(len, self._results.values()))
        return results + len(self._pictures) + len(self._cameras) + (self._nodes is not None)

    @property
    def picture_bytes(self) -> int:
        """Bytes of pictures in the buffer."""
        return self._picture_bytes

    # --- filling: what the hub calls ---------------------------------------------------------------------

    def offer_result(self, update: Update, picture: Update | None) -> None:
        """`picture` is the camera's latest one."""
        camera_id = update.camera_id
        if camera_id in self.subscription.pictures:
            if self.kind is Kind.FRAMES:
                since = self._watching_since[camera_id]
                last = since if picture is None else max(since, picture.arrival)
                if update.arrival - last <= PICTURE_SILENCE_SECONDS:
                    return  # its picture comes, or has come
                self._shown[camera_id] = update
            elif picture is not None and picture.frame_id == update.frame_id:
                return  # the picture carries this very result
        waiting = self._results.get(camera_id)
        if waiting is None:
            self._results[camera_id] = deque((update,), maxlen=self._depth)
        else:
            waiting.append(update)
        self.wake()

    def offer_picture(self, update: Update) -> None:
        camera_id = update.camera_id
        if self.kind is Kind.FRAMES:
            shown = self._shown.get(camera_id)
            if shown is not None and (
                shown.frame_id == update.frame_id
                or (
                    update.original_timestamp < shown.original_timestamp
                    and update.arrival - shown.arrival <= CLOCK_RESET_SECONDS
                )
            ):
                return
            self._results.pop(camera_id, None)
        old = self._pictures.get(camera_id)
        self._picture_bytes += len(update.picture) - (len(old.picture) if old else 0)
        self._pictures[camera_id] = update  # in the old one's place: whoever waited longest is still next
        while self._picture_bytes > MAX_PICTURE_BYTES and len(self._pictures) > 1:
            self.take_picture()
        self.wake()

    def offer_camera(self, camera_id: str, item: bytes) -> None:
        self._cameras[camera_id] = item
        self.wake()

    def offer_nodes(self, items: bytes) -> None:
        self._nodes = items
        self.wake()

    def want(self, subscription: Subscription, now: float) -> None:
        """Take over a new subscription and forget what it no longer covers."""
        self.subscription = subscription
        self._watching_since = {c: self._watching_since.get(c, now) for c in subscription.pictures}
        self._results = {c: waiting for c, waiting in self._results.items() if subscription.includes(c)}
        self._pictures = {c: update for c, update in self._pictures.items() if c in subscription.pictures}
        self._picture_bytes = sum(len(update.picture) for update in self._pictures.values())
        self._shown = {c: update for c, update in self._shown.items() if c in subscription.pictures}

    def forget(self, camera_id: str) -> None:
        self._results.pop(camera_id, None)
        self._cameras.pop(camera_id, None)
        self._shown.pop(camera_id, None)

    def clear(self) -> None:
        self.want(Subscription(frozenset()), 0.0)
        self._cameras.clear()
        self._nodes = None
