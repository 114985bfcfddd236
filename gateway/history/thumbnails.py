"""Pictures for events. Results come without one, so the workers are asked for those very frames: they keep them for a
moment, and the one that computed a frame sends it.

The picture of an event's first result is asked for as soon as that is stored, and then each that is clearly better: who
comes in is seen from the side. Runs on the event loop. Bounded: each event is asked for once in some seconds, so many
frames at a time, and what does not come is forgotten.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from contract.picture import PictureError
from contract.result import Result
from gateway.history.pictures import EventPicture, event_picture
from gateway.history.presence import MOTION_QUALITY, certainty, quality
from gateway.history.rows import moment
from gateway.history.store import ThumbnailRequest
from gateway.history.thumbnail_store import Thumbnail
from gateway.metrics import GatewayMetrics

REST_SECONDS = 3.0
"""After a frame of an event was asked for, until another one is: by then the picture has come and is stored."""
PATIENCE_SECONDS = 10.0
"""What has not come by then does not come: its worker has ended, or had to make room for others."""
MAX_WANTED = 4_096
"""Frames that wait to be asked for, and frames that were: beyond that the oldest are given up."""
ASKED_AT_ONCE = 256
"""Frames in one announcement, of which each worker reads every one."""
MAX_MAKING_BYTES = 64 * 1024 * 1024
"""Pictures that wait for the thread that makes thumbnails; what comes meanwhile is left out."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """When a frame was asked for, and whether its event has no picture."""

    since: float
    first: bool


class Thumbnailer:
    """`keep` takes what becomes of the pictures; without `whole` only the small ones. `now` is monotonic."""

    def __init__(
        self, keep: Callable[[Thumbnail], None], metrics: GatewayMetrics, *, whole: bool = True
    ) -> None:
        self._keep = keep
        self._whole = whole
        self._metrics = metrics
        self._wanted: dict[str, bool] = {}  # frames to ask for; whether the event has no picture
        self._asked: dict[str, _Asked] = {}  # by frame, oldest first
        self._rests: dict[tuple[str, float], float] = {}  # by event: from when on it may be asked for again
        self._making = 0  # bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    def request(self, requests: Iterable[ThumbnailRequest], now: float) -> bool:
        """Note the frames that are wanted; whether there are any to ask for."""
        for event in [each for each, until in self._rests.items() if until <= now]:
            del self._rests[event]
        for request in requests:
            event = request.camera_id, request.started
            if event in self._rests or len(self._rests) >= MAX_WANTED:
                continue
            self._rests[event] = now + REST_SECONDS
            self._wanted[request.frame_id] = request.first
        return bool(self._wanted)

    def wanted(self, now: float) -> list[str]:
        """Frames to ask for now, each told once. What is too much at once is told the next time."""
        self._give_up(now)
        frames = sorted(self._wanted, key=lambda frame_id: not self._wanted[frame_id])[:ASKED_AT_ONCE]
        for frame_id in frames:
            self._asked[frame_id] = _Asked(now, self._wanted.pop(frame_id))
        return frames

    def picture(self, result: Result, picture: bytes, wall: float) -> None:
        """A frame with its result, if it was asked for."""
        asked = self._asked.pop(result.frame_id, None)
        shows = bool(result.detections) or isinstance(result.motion, float)
        if asked is None or result.status != "ok" or not shows:
            return
        if self._making and self._making + len(picture) > MAX_MAKING_BYTES:
            self._metrics.thumbnails.labels("crowded").inc()
            return
        self._making += len(picture)
        making = asyncio.get_running_loop().run_in_executor(self._thread, event_picture, picture)
        making.add_done_callback(partial(self._made, result, moment(result, wall), len(picture)))

    def close(self) -> None:
        """Begin no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _made(self, result: Result, when: float, size: int, made: "asyncio.Future[EventPicture]") -> None:
        self._making -= size
        if made.cancelled():
            return
        error = made.exception()
        if error is None:
            good = _quality(result)
            picture = made.result() if self._whole else replace(made.result(), whole=b"")
            self._keep(Thumbnail(result, when, good, picture))
            return
        self._metrics.thumbnails.labels("unreadable").inc()
        if not isinstance(error, PictureError):
            raise error

    def _give_up(self, now: float) -> None:
        while self._asked:
            frame_id, asked = next(iter(self._asked.items()))
            if asked.since + PATIENCE_SECONDS > now and len(self._asked) <= MAX_WANTED:
                return
            del self._asked[frame_id]
            if asked.first:
                self._metrics.thumbnails.labels("missed").inc()


def _quality(result: Result) -> int:
    if not result.detections:
        return MOTION_QUALITY
    return quality(len(result.detections), certainty(max(each.confidence for each in result.detections)))
