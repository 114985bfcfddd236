"""The samples of a video: which of its pictures are analysed, and whose result holds for all others."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np

from batch.video.boxes import index_place
from batch.video.file import video_file
from batch.video.frames import TimedFrame, frames, thinned
from batch.video.glance import glance_at
from batch.video.growing import GrowingFile
from batch.video.orientation import Image, orientation
from batch.video.report import VideoReport
from batch.video.sampler import Sampler, Why
from batch.video.settings import VideoSettings
from batch.video.windows import Windows, WindowSpan, without_contained


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture of a video that was looked at.

    index: the number of its frame in the video, from 0; the same in every run.
    time: seconds from the beginning.
    windows: the windows that it belongs to; two where they overlap. One that begins just before the video ends is not
        in the report, for it holds nothing of its own.
    why: why it is analysed, or is not.
    reuse_of: the sample whose result holds for it; None for one that is analysed.
    size: width and height of the upright picture before it was made smaller.
    image: BGR, uint8, H x W x 3, upright; None for one that is not analysed.
    """

    index: int
    time: float
    windows: tuple[int, ...]
    why: Why
    reuse_of: int | None
    size: tuple[int, int]
    image: Image | None


def samples(
    source: Path | BinaryIO | GrowingFile,
    settings: VideoSettings | None = None,
    report: VideoReport | None = None,
    *,
    shown: str = "",
) -> Iterator[Sample]:
    """Decode a video once, and yield each picture that was looked at, in order, in bounded memory.

    Args:
        source: Its path, or an open file; a GrowingFile is read while it is written.
        settings: What is looked at, and how; the defaults without.
        report: Counts while it is read.
        shown: How messages call it; by default its name.

    Raises:
        VideoError: It is not a video, or cannot be read on. What was yielded before holds.
    """
    settings = settings or VideoSettings()
    report = report if report is not None else VideoReport()
    shown = shown or (source.name if isinstance(source, Path) else "the video")
    with ExitStack() as stack:
        file = stack.enter_context(video_file(source, shown)) if isinstance(source, Path) else source
        ready: BinaryIO | GrowingFile = _wait_for_index(file) if isinstance(file, GrowingFile) else file
        timed = thinned(frames(ready, shown, report, threads=settings.threads), settings.fps, report)
        try:
            yield from _looked_at(timed, settings, report)
        finally:
            report.windows = without_contained(report.windows)


def encoded(image: Image, quality: int = VideoSettings().quality) -> bytes:
    """The picture as JPEG of `quality` 1-100. Raises ValueError when OpenCV cannot."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as JPEG")
    return data.tobytes()


def _looked_at(timed: Iterator[TimedFrame], settings: VideoSettings, report: VideoReport) -> Iterator[Sample]:
    sampler = Sampler(settings)
    windows = Windows(settings.window_seconds, settings.overlap_seconds)
    cut = _cuts(settings)
    for one in timed:
        if cut(one.frame, one.time):
            windows.cut(one.time)
        numbers = windows.at(one.time)
        verdict = sampler.look(one.index, glance_at(one.frame), one.time)
        analysed = verdict.reuse_of is None
        if analysed:
            report.analysed += 1
        elif verdict.why == "still":
            report.still += 1
        else:
            report.repeated += 1
        _count(report.windows, numbers, one.time, analysed=analysed)
        size, image = _picture(one, settings.longest_side, wanted=analysed)
        yield Sample(one.index, one.time, numbers, verdict.why, verdict.reuse_of, size, image)


def _cuts(settings: VideoSettings) -> Callable[[av.VideoFrame, float], bool]:
    if settings.windows == "fixed":
        return lambda frame, time: False
    from batch.video.cuts import Cuts  # takes half a second to load

    return Cuts(settings.scene_threshold).at


def _picture(one: TimedFrame, longest_side: int, *, wanted: bool) -> tuple[tuple[int, int], Image | None]:
    """The upright size of a frame with square pixels, and its picture, made smaller where that is too large."""
    frame, turn = one.frame, orientation(one.frame)
    width, height = max(1, round(frame.width * one.aspect)), frame.height
    size = (height, width) if turn.exchanged else (width, height)
    if not wanted:
        return size, None
    scale = min(1.0, longest_side / max(size))
    pixels = frame.to_ndarray(
        format="bgr24",
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        interpolation="AREA",
        threads=1,  # else FFmpeg starts one for each core, for every frame
    )
    return size, turn.upright(np.asarray(pixels, np.uint8))


def _count(spans: list[WindowSpan], numbers: tuple[int, ...], time: float, *, analysed: bool) -> None:
    for number in numbers:
        # The newest windows are the last ones, and no more than three overlap.
        span = next((each for each in reversed(spans[-4:]) if each.number == number), None)
        if span is None:
            span = WindowSpan(number, time, time)
            spans.append(span)
        span.ended = time
        span.samples += 1
        span.analysed += analysed


def _wait_for_index(file: GrowingFile) -> BinaryIO | GrowingFile:
    """What is read of a growing file: itself from its beginning, or, if its index comes last, all of it at its end."""
    place = index_place(file)
    if place == "last":
        file.wait()
        return file.rewound()
    file.rewound()
    return file
