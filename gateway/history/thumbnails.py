"""Pictures for events. Results come without one, so the camera is watched for some seconds when a presence begins.

The first picture is kept at once, for many a presence is short, and then each that is better: who comes in is seen from
the side. Runs on the event loop and is bounded: some cameras at once, and then a rest.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from contract.picture import PictureError
from contract.result import Result
from gateway.history.pictures import thumbnail
from gateway.history.presence import CLEARER, FACE_WORTH, certainty, quality
from gateway.history.rows import moment
from gateway.history.store import ThumbnailRequest
from gateway.history.thumbnail_store import Thumbnail
from gateway.metrics import GatewayMetrics

MAX_WATCHED = 64
WATCH_SECONDS = 5.0
REST_SECONDS = 3.0
"""After a picture, or after nothing, until one for another event is looked for; by then what was kept is stored."""
BETTER_REST_SECONDS = 10.0
"""After watching, until a better picture is looked for."""
FRUITLESS_REST_SECONDS = 60.0
"""The same where watching for a better one brought nothing."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """Pictures of at least `quality` are taken `until` then. `first`: there is none yet. `taken`: when the last was."""

    quality: int
    until: float
    first: bool
    taken: float | None = None


@dataclass(frozen=True, slots=True)
class _Rest:
    """When a camera may be watched again, for the first picture of an event and for a better one."""

    first: float
    better: float


class Thumbnailer:
    """`keep` takes what becomes of the pictures. `now` is monotonic."""

    def __init__(self, keep: Callable[[Thumbnail], None], metrics: GatewayMetrics) -> None:
        self._keep = keep
        self._metrics = metrics
        self._watched: dict[str, _Watch] = {}
        self._rests: dict[str, _Rest] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    def request(self, requests: Iterable[ThumbnailRequest], now: float) -> bool:
        """Whether cameras were added to those that are wanted. What is too much at once is left to the next batch."""
        self._tidy(now)
        added = False
        for request in requests:
            first = request.quality < FACE_WORTH
            if not self._may(request.camera_id, first, now):
                continue
            full = len(self._watched) >= MAX_WATCHED and request.camera_id not in self._watched
            if full and not (first and self._make_room(now)):
                continue
            self._watched[request.camera_id] = _Watch(request.quality, now + WATCH_SECONDS, first)
            added = True
        return added

    def wanted(self, now: float) -> frozenset[str]:
        """The cameras to watch."""
        self._tidy(now)
        return frozenset(self._watched)

    def picture(self, result: Result, picture: bytes, now: float, wall: float) -> None:
        """A watched camera's frame with its result."""
        watch = self._watched.get(result.camera_id)
        if watch is None or result.status != "ok" or not result.detections:
            return
        good = quality(len(result.detections), certainty(max(each.confidence for each in result.detections)))
        if good < watch.quality:
            return
        self._watched[result.camera_id] = replace(watch, quality=good + CLEARER, taken=now)
        making = asyncio.get_running_loop().run_in_executor(self._thread, thumbnail, picture)
        making.add_done_callback(lambda made: self._made(result, moment(result, wall), good, made))

    def close(self) -> None:
        """Begin no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _made(self, result: Result, when: float, good: int, made: "asyncio.Future[bytes]") -> None:
        if made.cancelled():
            return
        error = made.exception()
        if error is None:
            self._keep(Thumbnail(result.camera_id, result.frame_id, when, good, made.result()))
            return
        self._metrics.thumbnails.labels("unreadable").inc()
        if not isinstance(error, PictureError):
            raise error

    def _may(self, camera_id: str, first: bool, now: float) -> bool:
        if (watch := self._watched.get(camera_id)) is not None:
            # It had a picture a while ago and has none: this is another event.
            return first and watch.taken is not None and now - watch.taken >= REST_SECONDS
        rest = self._rests.get(camera_id)
        return rest is None or now >= (rest.first if first else rest.better)

    def _make_room(self, now: float) -> bool:
        """End the watch of a camera that has brought a picture, for one that has none; whether there was such a one."""
        done = next(
            (camera_id for camera_id, watch in self._watched.items() if watch.taken is not None), None
        )
        if done is not None:
            self._end(done, now)
        return done is not None

    def _tidy(self, now: float) -> None:
        for camera_id in [c for c, watch in self._watched.items() if watch.until <= now]:
            self._end(camera_id, now)
        for camera_id in [c for c, rest in self._rests.items() if max(rest.first, rest.better) <= now]:
            del self._rests[camera_id]

    def _end(self, camera_id: str, now: float) -> None:
        watch = self._watched.pop(camera_id)
        if watch.taken is not None:
            self._rests[camera_id] = _Rest(watch.taken + REST_SECONDS, now + BETTER_REST_SECONDS)
        elif watch.first:
            self._rests[camera_id] = _Rest(now + REST_SECONDS, now + BETTER_REST_SECONDS)
            self._metrics.thumbnails.labels("missed").inc()
        else:
            self._rests[camera_id] = _Rest(now, now + FRUITLESS_REST_SECONDS)
