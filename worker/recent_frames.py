"""Frames that show something, kept for a moment: a gateway may want one as the picture of an event."""

from collections import OrderedDict
from collections.abc import Callable

from worker.processor import Computed

MAX_BYTES = 32 * 1024 * 1024
"""What all frames with a detection may take; the oldest make room. One larger than that is kept alone."""
MAX_MOTION_BYTES = 16 * 1024 * 1024
"""The same for those that show motion alone: they are many, and take no room from the others."""
KEEP_SECONDS = 30.0
"""A result is stored, and its frame asked for, within a second; later where the database is slow."""


class RecentFrames:
    """By frame_id. Keeping one copies nothing: the bytes are those that came with the task."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._detected, self._moving = _Shelf(clock, MAX_BYTES), _Shelf(clock, MAX_MOTION_BYTES)

    def keep(self, computed: Computed, motion: bool = False) -> None:
        """Keep it if something was detected; with `motion` also if something moves."""
        if computed.result.detections:
            self._detected.keep(computed)
        elif motion and isinstance(computed.result.motion, float):
            self._moving.keep(computed)

    def take(self, frame_id: str) -> Computed | None:
        """Hand it out, if it is still there, and keep it no longer."""
        return self._detected.take(frame_id) or self._moving.take(frame_id)

    def tidy(self) -> None:
        """Forget what is too old; call it now and then."""
        self._detected.tidy()
        self._moving.tidy()


class _Shelf:
    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        self._most = most
        self._frames: OrderedDict[str, tuple[float, Computed]] = OrderedDict()
        self._bytes = 0

    def keep(self, computed: Computed) -> None:
        self.take(computed.result.frame_id)
        self._frames[computed.result.frame_id] = (self._clock(), computed)
        self._bytes += len(computed.image)
        while self._bytes > self._most and len(self._frames) > 1:
            self._forget_oldest()

    def take(self, frame_id: str) -> Computed | None:
        found = self._frames.pop(frame_id, None)
        if found is None:
            return None
        self._bytes -= len(found[1].image)
        return found[1]

    def tidy(self) -> None:
        oldest = self._clock() - KEEP_SECONDS
        while self._frames and next(iter(self._frames.values()))[0] < oldest:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, (_, computed) = self._frames.popitem(last=False)
        self._bytes -= len(computed.image)
