"""Who gets what, and what a slow viewer misses. Pure and synchronous: nothing here waits for a client.

Publishing only fills the viewers' bounded buffers and wakes their senders; a viewer that does not read loses old
results, never memory and never the others' time.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from gateway.viewer import (
    CLOCK_RESET_SECONDS,
    PICTURE_SILENCE_SECONDS,
    Kind,
    Subscription,
    Update,
    Viewer,
)

MAX_CAMERAS = 10_000
RECENT_FRAMES = 64


class Track:
    """The latest update of one camera, and which one may follow it."""

    __slots__ = ("_recent", "latest")

    def __init__(self) -> None:
        self.latest: Update | None = None
        self._recent: deque[str] = deque(maxlen=RECENT_FRAMES)

    def take(self, update: Update) -> bool:
        """Whether the live view moves on to `update`: never to the same frame again and never backwards in time.

        After 5 s without an accepted update an older time is believed: the camera's clock was set back.
        """
        latest = self.latest
        if latest is not None:
            if update.frame_id in self._recent:
                return False
            if (
                update.original_timestamp < latest.original_timestamp
                and update.arrival - latest.arrival <= CLOCK_RESET_SECONDS
            ):
                return False
        self.latest = update
        self._recent.append(update.frame_id)
        return True


class Hub:
    """All viewers and the latest of every camera. `on_watch` is called when `watched` may have changed."""

    def __init__(self, on_watch: Callable[[], None] = lambda: None) -> None:
        self._on_watch = on_watch
        self._viewers: dict[Viewer, None] = {}
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        self._pictures: dict[str, Track] = {}
        self._watched: Counter[str] = Counter()

    @property
    def viewers(self) -> int:
        """How many there are."""
        return len(self._viewers)

    @property
    def watched(self) -> frozenset[str]:
        """Cameras whose pictures somebody wants."""
        return frozenset(self._watched)

    @property
    def cameras(self) -> int:
        """Cameras with a latest result."""
        return len(self._tracks)

    def join(self, viewer: Viewer, subscription: Subscription, now: float) -> None:
        """Let `viewer` in: first a snapshot of what it subscribes to, then changes."""
        self._viewers[viewer] = None
        viewer.subscription = Subscription(frozenset())
        self.subscribe(viewer, subscription, now)

    def subscribe(self, viewer: Viewer, subscription: Subscription, now: float) -> None:
        """Change what `viewer` gets; it receives the latest of the cameras that are new to it."""
        if viewer not in self._viewers:
            return
        before = viewer.subscription
        viewer.want(subscription, now)
        self._count_watched(before.pictures, subscription.pictures)
        for camera_id in subscription.pictures - before.pictures:
            track = self._pictures.get(camera_id)
            last = track.latest if track is not None else None
            # Dashboards show how old it is; of a camera that leaves out unchanged frames it may be the one for long.
            if last is not None and (
                viewer.kind is Kind.DASHBOARD or now - last.arrival <= PICTURE_SILENCE_SECONDS
            ):
                viewer.offer_picture(last)
        for camera_id in self._new_to(before, subscription):
            update = self._tracks[camera_id].latest
            if update is not None and not (
                viewer.kind is Kind.FRAMES and camera_id in subscription.pictures
            ):  # those get a picture first, or results once no picture came for a while
                viewer.offer_result(update, self._latest_picture(camera_id))

    def leave(self, viewer: Viewer) -> None:
        """Forget `viewer` and all that waits for it. May be called again."""
        if viewer in self._viewers:
            del self._viewers[viewer]
            self._count_watched(viewer.subscription.pictures, frozenset())
            viewer.clear()

    def publish(self, update: Update) -> bool:
        """A result. False if it was old or known, and nobody got it."""
        camera_id = update.camera_id
        track = self._tracks.get(camera_id)
        if track is None:
            if len(self._tracks) >= MAX_CAMERAS:
                self.forget(next(iter(self._tracks)))
            track = self._tracks[camera_id] = Track()
        if not track.take(update):
            return False
        self._tracks.move_to_end(camera_id)
        picture = self._latest_picture(camera_id)
        for viewer in self._viewers:
            if viewer.subscription.includes(camera_id):
                viewer.offer_result(update, picture)
        return True

    def publish_picture(self, update: Update) -> bool:
        """A picture with its own result. False if nobody wants it, or it was old or known."""
        camera_id = update.camera_id
        if camera_id not in self._watched:
            return False
        if not self._pictures.setdefault(camera_id, Track()).take(update):
            return False
        for viewer in self._viewers:
            if camera_id in viewer.subscription.pictures:
                viewer.offer_picture(update)
        return True

    def publish_camera(self, camera_id: str, item: bytes) -> None:
        """A camera's state, for dashboards."""
        for viewer in self._viewers:
            if viewer.kind is Kind.DASHBOARD:
                viewer.offer_camera(camera_id, item)

    def publish_nodes(self, items: bytes) -> None:
        """All nodes' states, for dashboards."""
        for viewer in self._viewers:
            if viewer.kind is Kind.DASHBOARD:
                viewer.offer_nodes(items)

    def forget(self, camera_id: str) -> None:
        """Forget a camera's latest result."""
        self._tracks.pop(camera_id, None)
        for viewer in self._viewers:
            viewer.forget(camera_id)

    def _latest_picture(self, camera_id: str) -> Update | None:
        track = self._pictures.get(camera_id)
        return track.latest if track is not None else None

    def _new_to(self, before: Subscription, after: Subscription) -> list[str]:
        if after.cameras is None:
            return [c for c in self._tracks if not before.includes(c)]
        return [c for c in after.cameras if c in self._tracks and not before.includes(c)]

    def _count_watched(self, before: frozenset[str], after: frozenset[str]) -> None:
        if before == after:
            return
        self._watched.update(after - before)
        for camera_id in before - after:
            self._watched[camera_id] -= 1
            if self._watched[camera_id] <= 0:
                del self._watched[camera_id]
                self._pictures.pop(camera_id, None)  # also frees the picture
        self._on_watch()
