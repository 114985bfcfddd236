"""A job's videos: read one after the other, in a process of their own, and each sample handed on as it comes.

A video that was interrupted is read again from its beginning, which gives the same samples with the same
numbers; those that the books have settled are not computed again.
"""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from batch import reasons
from batch.arrivals import Arrivals
from batch.errors import Unreadable
from batch.feed import Loaded
from batch.inputs.kinds import SAMPLE
from batch.job import Job
from batch.names import shown
from batch.store import Item
from batch.video.errors import VideoError
from batch.video.report import VideoReport
from batch.video.timeline import HeldResult, Holding
from batch.video_files import Interrupted, VideoFiles

if TYPE_CHECKING:  # taking videos apart needs FFmpeg and OpenCV, which cost a third of a second
    from batch.video.messages import EncodedSample

AT_ONCE, AT_ONCE_BYTES, AT_ONCE_SECONDS = 200, 4 << 20, 0.2
"""Samples that are taken from the process at once: as many as come in a moment."""
HELD_AT_ONCE, HELD_SECONDS = 500, 1.0
"""Entered in the books together at most, and so often: whoever watches sees what was found so far."""
STUCK_SECONDS = 60.0
RENAMED = {
    "forbidden": reasons.UNREADABLE,
    "io_error": reasons.UNREADABLE,
    "crashed": reasons.VIDEO_CRASHED,
    "memory": reasons.VIDEO_MEMORY,
    "stuck": reasons.VIDEO_STUCK,
}
"""Of the errors of videos: as other inputs' are called, and apart from what happens to workers."""


Given = TypeVar("Given")


@dataclass(slots=True)
class _Reading:
    """A video that is read, or whose samples are under way. `over`: all of it was read, or as far as it can be;
    `again`: it is to be read once more, since its upload pauses; `left`: nobody wants what would come. `frames`
    counts its pictures so far."""

    item: Item
    over: bool = False
    again: bool = False
    left: bool = False
    reason: str | None = None
    error: str | None = None
    frames: Counter[str] = field(default_factory=Counter)


class Footage:
    """Reads videos. `frames` counts their pictures in this run: analysed, still, repeated, thinned."""

    def __init__(self, job: Job, arrivals: Arrivals | None = None) -> None:
        self._job = job
        self._arrivals = arrivals
        self._books = job.store.videos
        self._thread = ThreadPoolExecutor(1, "videos")
        self._files = VideoFiles(job.wish.base, job.folder)
        self._readings: dict[int, _Reading] = {}
        self._under_way: Counter[int] = Counter()
        self._stopped = False
        self.frames: Counter[str] = Counter()
        self.windows = 0

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True

    async def close(self) -> None:
        """Wait until the process that reads has ended."""
        self.stop()
        await asyncio.to_thread(self._thread.shutdown)
        self._files.close()

    # --- reading ------------------------------------------------------------------------------------------

    async def samples(self, item: Item) -> AsyncIterator[Loaded]:
        """Read a video; gives its samples that wait, entered in the books."""
        reading = self._readings[item.number] = _Reading(item)
        self._books.begin(item.number)
        holding, held = Holding(), list[HeldResult]()
        reports: list[VideoReport] = []
        samples = self._confined(reading, reports)
        failed: VideoError | Unreadable | None = None
        entered = time.monotonic()
        taken: deque[EncodedSample] = deque()
        over = False
        try:
            while not self._stopped and not over:
                taking = asyncio.ensure_future(self._in_thread(_take, samples, taken))
                while taken or not taking.done():
                    # Of an upload that pauses, what has come is not held back for what has not.
                    await asyncio.wait({taking}, timeout=AT_ONCE_SECONDS)
                    while taken:
                        sample = taken.popleft()
                        if (before := holding.add(sample)) is not None:
                            held.append(before)
                        self._count(reading, sample)
                        if (loaded := self._entered(item, sample)) is not None:
                            yield loaded
                    if len(held) >= HELD_AT_ONCE or (held and time.monotonic() - entered >= HELD_SECONDS):
                        self._books.hold(item.number, held)
                        held, entered = [], time.monotonic()
                failed, over = taking.result()
        finally:
            reading.left = True
            await self._in_thread(samples.close)
        if self._stopped and not reports:
            return  # the next run reads it again
        withdrawn = None if self._arrivals is None else self._arrivals.withdrawn(item.path)
        if not reports and failed is None and withdrawn is None:
            reading.over = reading.again = True
            return
        self._books.hold(item.number, [*held, *([rest] if (rest := holding.rest()) else [])])
        for report in reports:
            self._books.read(item.number, report)
            self.frames["thinned"] += report.thinned
            self.windows += len(report.windows)
        if withdrawn is not None:
            reading.reason, reading.error = reasons.WITHDRAWN, withdrawn
        elif failed is not None:
            reading.reason = RENAMED.get(failed.reason, failed.reason)
            reading.error = str(failed)
        reading.over = True

    def _confined(self, reading: _Reading, reports: list[VideoReport]) -> "Generator[EncodedSample]":
        from batch.video.process import confined_samples

        settings = self._job.wish.video
        rarely = 1 / settings.fps if settings.fps else 0.0  # nothing is said of what is thinned out
        arrivals, path = self._arrivals, reading.item.path

        def interrupted() -> bool:
            return (
                self._stopped
                or reading.left
                or (arrivals is not None and (arrivals.stalled(path) or arrivals.withdrawn(path) is not None))
            )

        grows = arrivals is not None and arrivals.growing(path)
        try:
            with self._files.opened(reading.item, interrupted) as file:
                yield from confined_samples(
                    file,
                    settings,
                    shown=shown(os.path.basename(path)),
                    finished=(lambda: arrivals is None or not arrivals.growing(path)) if grows else None,
                    counted=reports.append,
                    stopped=interrupted,
                    stuck_seconds=STUCK_SECONDS + 10 * rarely,
                )
        except Interrupted:
            return

    def _count(self, reading: _Reading, sample: "EncodedSample") -> None:
        outcome = sample.why if sample.why in ("still", "repeated") else "analysed"
        self.frames[outcome] += 1
        reading.frames[outcome] += 1

    @property
    def under_way(self) -> Counter[str]:
        """The pictures so far of the videos that are being read: analysed, still, repeated."""
        counts: Counter[str] = Counter()
        for reading in self._readings.values():
            if not reading.over:
                counts.update(reading.frames)
        return counts

    def _entered(self, item: Item, sample: "EncodedSample") -> Loaded | None:
        if sample.jpeg is None:
            return None
        entered = self._books.enter(item.number, item.path, sample.index, sample.time, sample.size)
        if not entered.waits:
            return None
        found = Item(entered.number, item.path, attempts=entered.attempts, kind=SAMPLE, video=item.number)
        return Loaded(found, sample.jpeg)

    async def _in_thread(self, function: Callable[..., Given], *arguments: object) -> Given:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    # --- books --------------------------------------------------------------------------------------------

    def began(self, sample: Item) -> None:
        """A sample is under way."""
        if sample.video is not None:
            self._under_way[sample.video] += 1

    def ended(self, sample: Item) -> int | None:
        """A sample is under way no more; returns its video, if that is thereby done with."""
        if sample.video is None:
            return None
        self._under_way[sample.video] -= 1
        return self.look(sample.video)

    def look(self, video: int) -> int | None:
        """Settle a video that was read and of whose samples none is open; returns it, if it is done with.

        A sample without an answer waits again, and then so does its video: it is read once more.
        """
        reading = self._readings.get(video)
        if reading is None or not reading.over or self._under_way[video] > 0:
            return None
        del self._readings[video], self._under_way[video]
        if reading.again:
            return video
        if self._books.changed(video) != reading.item.changed:
            self._books.forget(video)
        elif not self._books.unsettled(video):
            self._books.settle(video, reading.item.changed, reading.reason, reading.error)
        return video


def _take(
    samples: "Generator[EncodedSample]", taken: "deque[EncodedSample]"
) -> "tuple[VideoError | Unreadable | None, bool]":
    """Take the next samples; returns the error that ended them, and whether they are over."""
    number = size = 0
    until = time.monotonic() + AT_ONCE_SECONDS
    try:
        for sample in chain(samples):
            taken.append(sample)
            number, size = number + 1, size + len(sample.jpeg or b"")
            if number >= AT_ONCE or size >= AT_ONCE_BYTES or time.monotonic() >= until:
                return None, False
    except (VideoError, Unreadable) as error:
        return error, True
    return None, True
