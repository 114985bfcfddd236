"""The frames of a video, each decoded once, with the time at which it is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av

from batch.video.container import MAX_PIXELS, OpenVideo, failure, opened, too_large
from batch.video.errors import VideoError
from batch.video.report import VideoReport

LIKELY_RATE = 25.0  # frames a second, where the video does not say
READ_AGAIN = 100  # times in a row that FFmpeg may fail to find the next packet
MOST_ASPECT = 4.0  # of a pixel: what claims to be flatter is taken for square
TICK = 1e-4  # seconds by which times are compared


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame: its number from 0, its time in seconds from the beginning, and how wide its pixels are for
    their height."""

    index: int
    time: float
    frame: av.VideoFrame
    aspect: float = 1.0


def frames(file: Any, shown: str, report: VideoReport, *, threads: int = 1) -> Iterator[TimedFrame]:
    """Decode a file, from its first byte to its last; nothing is read twice, and nothing sought.

    `shown` is how messages call it. What is damaged is left out and counted in the `report`, and times never run
    backwards. Raises VideoError for what is not a video, or holds no frame that decodes.
    """
    video = opened(file, shown, threads=threads)
    with video.container:
        yield from _timed(video, shown, report)
        if not report.decoded:
            raise VideoError("no_frames", f"{shown} holds no picture that can be decoded")
        report.complete = True


def thinned(timed: Iterator[TimedFrame], fps: float, report: VideoReport) -> Iterator[TimedFrame]:
    """Leave out what is more than `fps` frames a second (0: nothing), evenly."""
    if not fps:
        yield from timed
        return
    due = 0.0
    for one in timed:
        if one.time + TICK < due:
            report.thinned += 1
            continue
        # By the clock, so that 50 become exactly 30; where pictures were missing, from here on.
        due = max(due + 1 / fps, one.time + 0.5 / fps)
        yield one


def _timed(video: OpenVideo, shown: str, report: VideoReport) -> Iterator[TimedFrame]:
    stream = video.stream
    unit = float(stream.time_base or 0)
    usual = 1 / float(stream.average_rate or LIKELY_RATE)
    aspect = _aspect(stream)
    begin: float | None = None
    last = -usual
    report.promised = _promised(video)
    sizes: set[tuple[int, int]] = set()
    for frame in _decoded(video, shown, report):
        if frame.width * frame.height > MAX_PIXELS:
            raise too_large(shown, frame.width, frame.height)
        time = None
        if frame.pts is not None and unit:
            own = frame.pts * unit
            begin = own if begin is None else begin
            time = own - begin
        if time is None or (report.decoded and time <= last):
            report.mended_times += 1
            time = last + usual
        if len(sizes) < 1000:
            sizes.add((frame.width, frame.height))
        report.sizes = len(sizes)
        report.seconds = last = time
        report.decoded += 1
        yield TimedFrame(report.decoded - 1, time, frame, aspect)


def _decoded(video: OpenVideo, shown: str, report: VideoReport) -> Iterator[av.VideoFrame]:
    """All frames that can be had; a packet that cannot be decoded costs itself."""
    packets = video.container.demux(video.stream)
    failed = 0
    while True:
        try:
            packet = next(packets, None)
        except av.error.InvalidDataError:
            failed += 1
            report.damaged += 1
            if failed >= READ_AGAIN:
                yield from _rest(video, report)
                return
            packets = video.container.demux(video.stream)
            continue
        except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise failure(error, shown) from None
        if packet is None:
            return
        failed = 0
        try:
            found = packet.decode()
        except av.error.InvalidDataError:
            report.damaged += 1
            continue
        except MemoryError as error:
            raise failure(error, shown) from None
        except (av.FFmpegError, OSError, ValueError):  # the decoder says anything of what it does not know
            report.damaged += 1
            continue
        yield from found


def _rest(video: OpenVideo, report: VideoReport) -> list[av.VideoFrame]:
    """What the decoder still holds back."""
    try:
        return list(video.stream.codec_context.decode(None))
    except (av.FFmpegError, OSError, ValueError):
        report.damaged += 1
        return []


def _promised(video: OpenVideo) -> float:
    """How many seconds long the video says it is; 0 where it does not say."""
    stream = video.stream
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    return max(0.0, (video.container.duration or 0) / av.time_base)


def _aspect(stream: av.VideoStream) -> float:
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / MOST_ASPECT <= aspect <= MOST_ASPECT else 1.0
