"""Opens a video with FFmpeg, which may use what a video needs and nothing else."""

import errno
from typing import Any, NamedTuple

import av
import av.stream
from av.container import InputContainer

from batch.video.errors import VideoError
from batch.video.growing import GrowingFile

FORMATS = "matroska,webm,mov,mp4,avi,flv,live_flv,mpegts,mpeg,asf,ogg,gif,mjpeg,m4v,h264,hevc"
"""Readers of files that hold their own video. Others are lists, which may name any file or address."""
MAX_PIXELS = 50_000_000
BUFFER = 1 << 18  # bytes FFmpeg asks Python for at once
OPTIONS = {
    "format_whitelist": FORMATS,
    "protocol_whitelist": "",  # all bytes come from the file that was handed over
    # An upload's beginning tells what it is; megabytes of it need not have come for that.
    "analyzeduration": "2000000",
}


class OpenVideo(NamedTuple):
    """A container, and the one of its streams that is decoded."""

    container: InputContainer
    stream: av.VideoStream


def opened(file: Any, shown: str, *, threads: int) -> OpenVideo:
    """Open what the file holds; `shown` is how messages call it. Raises VideoError."""
    try:
        container = av.open(file, "r", options=OPTIONS, buffer_size=BUFFER, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise failure(error, shown, growing=isinstance(file, GrowingFile)) from None
    try:
        stream = _chosen(container, shown)
    except VideoError:
        container.close()
        raise
    stream.codec_context.thread_count = threads
    stream.codec_context.thread_type = "AUTO"
    return OpenVideo(container, stream)


def failure(error: Exception, shown: str, *, growing: bool = False) -> VideoError:
    """The error as one word and a sentence that says what to do."""
    match error:
        case MemoryError() | OSError(errno=errno.ENOMEM):
            return VideoError("memory", f"{shown} needs more memory than a video may take")
        # EIO is FFmpeg's own word for a head without its end; what the disk refuses comes as Python raised it.
        case (
            av.error.InvalidDataError()
            | av.error.ArgumentError()
            | av.error.EOFError()
            | av.FFmpegError(errno=errno.EIO)
        ):
            return _not_a_video(shown, growing=growing)
        case OSError(strerror=str(text)):
            return VideoError("io_error", f"{shown} cannot be read: {text}")
        case _:
            return VideoError("io_error", f"{shown} cannot be read ({type(error).__name__})")


def _not_a_video(shown: str, *, growing: bool = False) -> VideoError:
    cut = " or was cut off before its end" if not growing else ""
    return VideoError(
        "not_a_video", f"{shown} is not a video that is read here{cut}: MP4, MOV, MKV, WebM, AVI and FLV are"
    )


def _chosen(container: InputContainer, shown: str) -> av.VideoStream:
    """The largest video stream; all others are not even taken apart."""
    covers = av.stream.Disposition.attached_pic
    videos = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not videos:
        sound = " but sound" if container.streams.audio else ""
        raise VideoError("no_video", f"{shown} holds no video{sound}: there are no pictures to analyse")
    videos = [stream for stream in videos if stream.codec_context is not None]
    if not videos:  # the head was cut off before it said how they are coded
        raise _not_a_video(shown)
    stream = max(videos, key=lambda video: video.width * video.height)
    if stream.width * stream.height > MAX_PIXELS:
        raise too_large(shown, stream.width, stream.height)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    return stream


def too_large(shown: str, width: int, height: int) -> VideoError:
    """The error of a video with pictures of unreasonable size."""
    return VideoError(
        "too_many_pixels", f"{shown} has pictures of {width}x{height}, more than {MAX_PIXELS:,} pixels"
    )
