"""Who gets what, and what a slow viewer misses. Pure and synchronous: nothing here waits for a client.

Publishing only fills bounded buffers and wakes who writes them out; a viewer that does not read loses old results,
never memory and never the others' time. Viewers that want the same are one audience: what waits is decided and kept
once for all of them.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace

from gateway.live.audience import Audience
from gateway.live.update import NOTHING, Subscription, Update
from gateway.live.viewer import CLOCK_RESET_SECONDS, PICTURE_SILENCE_SECONDS, Viewer, ViewerKind

MAX_CAMERAS = 10_000
RECENT_FRAMES = 50_000
RECENT_PICTURES = 1_000
PAINTED_PICTURES = 10_000
"""The last ones, of which dashboards may report that they have painted them."""


class Recent:
    """The frames that came last, to know one that comes again: some 10 MB for 50,000 of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._frames: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # arrival, capture
        self.since = float("-inf")
        """Every frame that arrived after this monotonic time is remembered."""

    def take(self, update: Update) -> bool:
        """Return whether the update is new; from now on it is known."""
        frame = update.camera_id, update.frame_id
        if frame in self._frames:
            return False
        self._frames[frame] = update.arrival, update.original_timestamp
        if len(self._frames) > self._most:
            _, (self.since, _) = self._frames.popitem(last=False)
        return True

    def differs(self, update: Update) -> bool:
        """Return whether a known frame was captured at another time: then two frames have that frame_id."""
        known = self._frames.get((update.camera_id, update.frame_id))
        return known is not None and known[1] != update.original_timestamp


class Track:
    """The latest update of one camera, and which one may follow it."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest: Update | None = None

    def take(self, update: Update) -> bool:
        """Return whether the live view moves on to `update`: never backwards in time.

        After 5 s without an accepted update an older time is believed: the camera's clock was set back. A frame that
        says that it is of the future is taken for one of its arrival: it hides none that come later.
        """
        latest = self.latest
        if (
            latest is not None
            and update.captured < latest.captured
            and update.arrival - latest.arrival <= CLOCK_RESET_SECONDS
        ):
            return False
        self.latest = update
        return True


class Hub:
    """All viewers and the latest of every camera. `on_watch` is called when `watched` may have changed.

    `on_waiting` is called when something waits for those of an audience who are in step; it must only set a flag.
    `on_repeated` hears of results that nobody sees because their frame_id was another frame's of that camera.
    """

    def __init__(
        self,
        *,
        on_watch: Callable[[], None] = lambda: None,
        on_waiting: Callable[[Audience], None] = lambda audience: None,
        on_repeated: Callable[[Update], None] = lambda update: None,
    ) -> None:
        self._on_watch = on_watch
        self._on_waiting = on_waiting
        self._on_repeated = on_repeated
        self._viewers: dict[Viewer, Audience] = {}
        self._audiences: dict[tuple[ViewerKind, Subscription], Audience] = {}
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        self._pictures: dict[str, Track] = {}
        self._recent, self._recent_pictures = Recent(RECENT_FRAMES), Recent(RECENT_PICTURES)
        self._watched: Counter[str] = Counter()
        # Camera, arrival, capture by frame.
        self._shown: OrderedDict[str, tuple[str, float, float]] = OrderedDict()
        self._groups: dict[str, str] = {}

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    @property
    def audiences(self) -> int:
        """How many different things they want."""
        return len(self._audiences)

    @property
    def watched(self) -> frozenset[str]:
        """Cameras whose pictures somebody wants."""
        return frozenset(self._watched)

    def watching(self) -> Iterator[Viewer]:
        """The viewers that want pictures."""
        return (viewer for viewer in self._viewers if viewer.subscription.pictures)

    # --- viewers -----------------------------------------------------------------------------------------

    def join(self, viewer: Viewer, subscription: Subscription, now: float) -> None:
        """Let `viewer` in: first a snapshot of what it subscribes to, then changes."""
        viewer.subscription = NOTHING
        self._enter(viewer, NOTHING)
        self.subscribe(viewer, subscription, now)

    def subscribe(self, viewer: Viewer, subscription: Subscription, now: float) -> None:
        """Change what `viewer` gets; it receives the latest of the cameras that are new to it."""
        before = viewer.subscription
        if viewer not in self._viewers or subscription == before:
            return
        self._exit(viewer)
        self._enter(viewer, subscription)
        viewer.want(subscription, now, lambda u: subscription.includes(u, self._groups.get(u.camera_id)))
        self._count_watched(before.pictures, subscription.pictures)
        for camera_id in subscription.pictures:
            last = self._latest_picture(camera_id)
            # Dashboards show how old it is; of a camera that leaves out unchanged frames it may be the one for long.
            if (
                last is not None
                and subscription.includes_picture(last)
                and not before.includes_picture(last)
                and (viewer.kind is ViewerKind.DASHBOARD or now - last.arrival <= PICTURE_SILENCE_SECONDS)
            ):
                viewer.offer_picture(last)
        for update in self._new_to(before, subscription):
            if not (viewer.kind is ViewerKind.FRAMES and update.camera_id in subscription.pictures):
                # those get a picture first, or results once no picture came for a while
                viewer.offer_result(update, self._latest_picture(update.camera_id))

    def leave(self, viewer: Viewer) -> None:
        """Forget `viewer` and all that waits for it. May be called again."""
        if viewer in self._viewers:
            self._exit(viewer)
            self._count_watched(viewer.subscription.pictures, frozenset())
            viewer.clear()

    # --- what is published -------------------------------------------------------------------------------

    def publish(self, update: Update) -> bool:
        """Show a result; returns whether it moves the live views.

        One that is older goes to those who get every result, a known one goes to no one.
        """
        if not self._recent.take(update):
            if self._recent.differs(update):
                self._on_repeated(update)
            return False
        camera_id = update.camera_id
        track = self._tracks.get(camera_id)
        if track is None:
            if len(self._tracks) >= MAX_CAMERAS:
                self.forget(next(iter(self._tracks)))
            track = self._tracks[camera_id] = Track()
        newest = track.take(update)
        if newest:
            self._tracks.move_to_end(camera_id)
        self._offer(update, every=not newest)
        return newest

    def publish_late(self, update: Update, since: float) -> bool:
        """Show a result that came another way, perhaps long after the live ones, computed at `since` (monotonic).

        Only those who get every result get it, and only if it was missed here; returns whether it was.
        """
        if since <= self._recent.since or not self._recent.take(update):
            return False
        self._offer(update, every=True)
        return True

    def publish_unshown(self, update: Update) -> bool:
        """Hand a result to those who get every one: its camera is not shown. Returns whether it was new."""
        if not self._recent.take(update):
            return False
        self._offer(update, every=True)
        return True

    def unpictured(self, camera_id: str) -> str | None:
        """The frame_id of the camera's latest result, where no picture of the camera is here."""
        track = self._tracks.get(camera_id)
        if track is None or track.latest is None or self._latest_picture(camera_id) is not None:
            return None
        return track.latest.frame_id

    def publish_picture(self, update: Update, *, first: bool = False) -> bool:
        """Show a picture with its own result; returns False if nobody wants it, or it was old or known.

        `first`: it was asked for since a watch began, and may be a while old. Dashboards alone get it, as they tell its
        age, and how old it is when they paint it says nothing of us.
        """
        camera_id = update.camera_id
        if camera_id not in self._watched:
            return False
        if first and self._latest_picture(camera_id) is not None:
            return False
        # A first picture may have been shown before, to those who have left meanwhile.
        if not self._recent_pictures.take(update) and not first:
            return False
        if not self._pictures.setdefault(camera_id, Track()).take(update):
            return False
        if not first:
            self._shown[update.frame_id] = (camera_id, update.arrival, update.original_timestamp)
        if len(self._shown) > PAINTED_PICTURES:
            self._shown.popitem(last=False)
        for audience in self._audiences.values():
            wanted = audience.kind is ViewerKind.DASHBOARD or not first
            if wanted and audience.subscription.includes_picture(update):
                for viewer in audience:
                    viewer.offer_picture(update)
        return True

    def shown(self, viewer: Viewer, frame_id: str) -> tuple[float, float] | None:
        """When a picture that `viewer` has been shown arrived (monotonic) and was taken (Unix); None for another."""
        camera_id, arrival, captured = self._shown.get(frame_id, ("", 0.0, 0.0))
        return (arrival, captured) if camera_id in viewer.subscription.pictures else None

    def publish_camera(self, camera_id: str, item: bytes) -> None:
        """Show dashboards a camera's state."""
        for viewer in self._viewers:
            if viewer.kind is ViewerKind.DASHBOARD:
                viewer.offer_camera(camera_id, item)

    def publish_nodes(self, items: bytes) -> None:
        """Show dashboards all nodes' states."""
        for viewer in self._viewers:
            if viewer.kind is ViewerKind.DASHBOARD:
                viewer.offer_nodes(items)

    def regroup(self, camera_id: str, group: str | None) -> None:
        """Put the camera into this group, or into none: who subscribed to it gets the camera's latest result."""
        before = self._groups.pop(camera_id, None)
        if group is not None:
            self._groups[camera_id] = group
        track = self._tracks.get(camera_id)
        if group == before or track is None or track.latest is None:
            return
        picture = self._latest_picture(camera_id)
        for audience in self._audiences.values():
            wanted = audience.subscription
            if wanted.groups is None or (before in wanted.groups) == (group in wanted.groups):
                continue
            if group not in wanted.groups:
                audience.forget_results(camera_id)
            elif wanted.includes(track.latest, group):
                audience.offer(track.latest, picture)

    def forget(self, camera_id: str) -> None:
        """Forget a camera's latest result."""
        self._tracks.pop(camera_id, None)
        for audience in self._audiences.values():
            audience.forget(camera_id)

    # --- inside ------------------------------------------------------------------------------------------

    def _offer(self, update: Update, *, every: bool) -> None:
        """Offer it to those who want it; with `every` only to those who get every result."""
        picture, group = self._latest_picture(update.camera_id), self._groups.get(update.camera_id)
        for audience in self._audiences.values():
            if (audience.kind.every or not every) and audience.subscription.includes(update, group):
                audience.offer(update, picture)

    def _enter(self, viewer: Viewer, subscription: Subscription) -> None:
        key = (viewer.kind, subscription)
        audience = self._audiences.get(key)
        if audience is None:
            audience = self._audiences[key] = Audience(*key, self._on_waiting)
        audience.add(viewer)
        self._viewers[viewer] = audience

    def _exit(self, viewer: Viewer) -> None:
        audience = self._viewers.pop(viewer)
        audience.remove(viewer)
        if not audience:
            del self._audiences[audience.kind, audience.subscription]

    def _latest_picture(self, camera_id: str) -> Update | None:
        track = self._pictures.get(camera_id)
        return track.latest if track is not None else None

    def _new_to(self, before: Subscription, after: Subscription) -> list[Update]:
        """Return the latest results that `after` includes and `before` did not."""
        if replace(before, pictures=after.pictures) == after:
            return []  # only other pictures, as when a wall is scrolled
        named = self._tracks if after.cameras is None else [c for c in after.cameras if c in self._tracks]
        latest = [(u, self._groups.get(c)) for c in named if (u := self._tracks[c].latest) is not None]
        return [u for u, group in latest if after.includes(u, group) and not before.includes(u, group)]

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
