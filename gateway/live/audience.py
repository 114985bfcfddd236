"""Viewers that want the same, served together while they keep up. Pure and synchronous.

Most viewers of a system watch the same and read at once. What waits for these is kept once, joined into bytes once,
and written to one after the other: a round. Whoever cannot be written to falls behind: it gets a buffer of its own,
of the same kind as the others', and returns when that is empty.
"""

from collections.abc import Callable, Iterator

from gateway.live.update import Subscription, Update, carried
from gateway.live.viewer import Viewer, ViewerKind


class Audience:
    """The viewers of one kind with one subscription. `on_waiting` is called when a round has something to bring."""

    def __init__(
        self, kind: ViewerKind, subscription: Subscription, on_waiting: Callable[["Audience"], None]
    ) -> None:
        self.kind = kind
        self.subscription = subscription
        self._on_waiting = on_waiting
        self._in_step: dict[Viewer, None] = {}
        self._behind: dict[Viewer, None] = {}
        self._waiting = kind.buffer()  # for those in step; empty while nobody is
        self._round: list[Update] = []
        self._unserved: dict[Viewer, None] = {}

    def __len__(self) -> int:
        return len(self._in_step) + len(self._behind)

    def __iter__(self) -> Iterator[Viewer]:
        yield from self._in_step
        yield from self._behind

    def add(self, viewer: Viewer) -> None:
        """Let a viewer in, behind: it has a snapshot to get first."""
        self._behind[viewer] = None
        viewer.audience = self

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go, with all that it has not got yet in its own buffer."""
        self.fall_behind(viewer)
        del self._behind[viewer]
        viewer.audience = None

    def offer(self, update: Update, picture: Update | None) -> None:
        """Let a result that they want wait for them; `picture` is its camera's latest one."""
        if self._in_step and (self.kind.every or not carried(update, picture, self.subscription)):
            if not self._waiting:
                self._on_waiting(self)
            self._waiting.add(update)
            if self._waiting.overrun:
                self._overrun()
        for viewer in self._behind:
            viewer.offer_result(update, picture)

    def forget_results(self, camera_id: str) -> None:
        """Drop what waits of this camera: it is no longer wanted."""
        self._waiting.forget(camera_id)
        for viewer in self:
            viewer.results.forget(camera_id)

    def forget(self, camera_id: str) -> None:
        """Forget what waits of a camera that is gone."""
        self._waiting.forget(camera_id)
        for viewer in self:
            viewer.forget(camera_id)

    # --- rounds: what the sender calls -------------------------------------------------------------------

    def begin(self) -> list[Update]:
        """Begin a round and return all that waits; `next` gives the viewers who get it, one by one."""
        self._round = self._waiting.take(len(self._waiting))
        self._unserved = self._in_step.copy() if self._round else {}
        return self._round

    def next(self) -> Viewer | None:
        """Return who gets the round next, or None at its end."""
        if self._unserved:
            return self._unserved.popitem()[0]
        self._round = []
        return None

    def fall_behind(self, viewer: Viewer, rest: list[Update] | None = None) -> None:
        """Take a viewer out of step that cannot be written to now. `rest`: what it
        did not get of the round, if that had reached it."""
        if viewer not in self._in_step:
            return
        del self._in_step[viewer]
        self._behind[viewer] = None
        if viewer in self._unserved:
            del self._unserved[viewer]
            rest = self._round
        for update in rest or ():
            viewer.results.add(update)
        for update in self._waiting:
            viewer.results.add(update)
        if not self._in_step:
            self._waiting.take(len(self._waiting))
        if viewer.results:
            viewer.wake()

    def catch_up(self, viewer: Viewer) -> None:
        """Put a viewer that can be written to in step again, if it lacks nothing and nothing it already has is
        waiting."""
        if (
            viewer in self._behind
            and not viewer.results
            and not self._waiting
            and self.kind is not ViewerKind.FRAMES  # what these get depends on what each has been shown
        ):
            del self._behind[viewer]
            self._in_step[viewer] = None

    def _overrun(self) -> None:
        """More came between two rounds than may wait: nobody in step can get every result any more."""
        self._waiting = self.kind.buffer()
        for viewer in list(self._in_step):
            self.fall_behind(viewer)
            viewer.results.overrun = True
            viewer.wake()
