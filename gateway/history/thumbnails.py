"""Pictures for events. Results come without one, so the camera is watched for a moment when a presence begins.

Runs on the event loop and is bounded: some cameras at once, one picture each, then a rest.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contract.picture import PictureError
from contract.result import Result
from gateway.history.pictures import thumbnail
from gateway.history.rows import moment
from gateway.history.store import Wish
from gateway.history.thumbnail_store import Thumbnail
from gateway.metrics import GatewayMetrics

MAX_WATCHED = 64
WATCH_SECONDS = 5.0
REST_SECONDS = 3.0
"""Until the next picture of a camera: the last one is stored by then."""
BETTER_REST_SECONDS = 10.0
"""The same where there is one and a better one is wished for."""


@dataclass(frozen=True, slots=True)
class _Watch:
    faces: int
    until: float


class Thumbnailer:
    """`keep` takes what becomes of the pictures. `now` is monotonic."""

    def __init__(self, keep: Callable[[Thumbnail], None], metrics: GatewayMetrics) -> None:
        self._keep = keep
        self._metrics = metrics
        self._watched: dict[str, _Watch] = {}
        self._taken: dict[str, float] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    def wish(self, wishes: Iterable[Wish], now: float) -> bool:
        """Whether cameras were added to those that are wanted. What is too much at once is left to the next batch."""
        self._tidy(now)
        before = len(self._watched)
        for wish in wishes:
            rest = REST_SECONDS if wish.faces == 1 else BETTER_REST_SECONDS
            rested = now - self._taken.get(wish.camera_id, float("-inf")) >= rest
            if rested and wish.camera_id not in self._watched and len(self._watched) < MAX_WATCHED:
                self._watched[wish.camera_id] = _Watch(wish.faces, now + WATCH_SECONDS)
        return len(self._watched) > before

    def wanted(self, now: float) -> frozenset[str]:
        """The cameras to watch."""
        self._tidy(now)
        return frozenset(self._watched)

    def picture(self, result: Result, picture: bytes, now: float, wall: float) -> None:
        """A watched camera's frame with its result."""
        watch = self._watched.get(result.camera_id)
        if watch is None or result.status != "ok" or len(result.detections) < watch.faces:
            return
        del self._watched[result.camera_id]
        self._taken[result.camera_id] = now
        making = asyncio.get_running_loop().run_in_executor(self._thread, thumbnail, picture)
        making.add_done_callback(lambda made: self._made(result, moment(result, wall), made))

    def close(self) -> None:
        """Begin no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _made(self, result: Result, when: float, made: "asyncio.Future[bytes]") -> None:
        if made.cancelled():
            return
        error = made.exception()
        if error is None:
            faces = len(result.detections)
            self._keep(Thumbnail(result.camera_id, result.frame_id, when, faces, made.result()))
            return
        self._metrics.thumbnails.labels("unreadable").inc()
        if not isinstance(error, PictureError):
            raise error

    def _tidy(self, now: float) -> None:
        for camera_id in [c for c, watch in self._watched.items() if watch.until <= now]:
            del self._watched[camera_id]
            self._taken[camera_id] = now
            self._metrics.thumbnails.labels("missed").inc()
        for camera_id in [c for c, taken in self._taken.items() if now - taken >= BETTER_REST_SECONDS]:
            del self._taken[camera_id]
