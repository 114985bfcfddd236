"""Decodes files and streams alike, with PyAV."""

import io
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av
import av.stream
import numpy as np

from contract.picture import MAX_PIXELS
from producer.errors import SourceError
from producer.frames import Skipped, encode_jpeg
from producer.reach import check_names
from producer.sources.streams.certificates import tls_options
from producer.sources.streams.failures import failure, open_failure, silence
from producer.sources.streams.formats import allowed
from producer.sources.streams.keyframes import Keyframes
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.orientation import upright
from producer.sources.streams.redirects import no_redirect
from producer.sources.streams.substreams import choose

if TYPE_CHECKING:
    from producer.sources.streams.web import WebFiles

NO_CONNECTIONS = {"http_persistent": "0", "http_multiple": "0"}
"""Of HLS: FFmpeg has no connections of its own there that it could keep."""
CORRUPT_IN_A_ROW = 200  # so many packets that cannot be decoded make a broken stream
KEYFRAMES_HINT = "a picture can be shown from a keyframe on; set them closer together (GOP) in the camera"
LIKELY_RATE = 25.0  # frames a second, where the stream does not say
KEYFRAME_SECONDS = 60.0  # cameras that save bandwidth send a keyframe as rarely as this


@dataclass(frozen=True, slots=True)
class Decoded:
    """A frame with its media time and, where known, how long it is shown, in seconds of the stream's own clock."""

    frame: av.VideoFrame
    media: float
    lasts: float


def decode(
    request: DecodeRequest,
    keyframes: Keyframes,
    beat: Callable[[], None] = lambda: None,
    file: int | None = None,
) -> Generator[Decoded | Skipped]:
    """Open what is requested and yield its frames. Blocks; `beat` is called before each call that may take long.

    `file` is the descriptor of the requested file if it is open already; it stays open.

    A packet that cannot be decoded is skipped as `corrupt`, one that `keyframes` leaves out as `idle`, and one before
    the first keyframe as `no_keyframe`: it refers to pictures that were never sent to us, so it is not to blame.
    Raises SourceError if it does not open, has no video, breaks off, or cannot be decoded at all.
    """
    shown = request.shown
    with _web(request) as web, _opened(request, web, beat, file) as container:
        stream = _chosen(container, shown)
        # One core is a camera's fair share, and one thread means less delay.
        stream.codec_context.thread_count = 1
        rate = float(stream.average_rate or LIKELY_RATE)
        count = corrupt = 0
        packets = container.demux(stream)
        live = request.pace == "live"
        begun = False  # a keyframe came
        wait_until = time.monotonic() + KEYFRAME_SECONDS
        while True:
            patience = _Patience(request.read_timeout, beat, web)
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                last = packet.size == 0  # demux ends with an empty packet, for what the decoder still holds
                if last and web is not None and web.trouble is not None:
                    raise web.trouble
                if last and patience.over:
                    raise silence(request)
                beat()
                if web is not None and not last:
                    web.trouble = None  # it did no harm
                begun = begun or packet.is_keyframe
                if live and not begun and not last:
                    # Some decoders would show grey smears.
                    if time.monotonic() >= wait_until:
                        raise _no_keyframe(shown)
                    yield Skipped("no_keyframe", f"{shown} has not sent a keyframe yet: {KEYFRAMES_HINT}")
                    continue
                # A live stream goes by our own clock: by the camera's, keyframes may seem to come at any rate.
                if not last and not keyframes.wants(
                    packet.is_keyframe, time.monotonic() if live else _media(packet)
                ):
                    yield Skipped("idle")
                    continue
                frames = packet.decode()
                if keyframes.only and not last:
                    frames += _rest(stream)
            except av.error.InvalidDataError:
                if not begun:
                    yield Skipped("no_keyframe")
                    continue
                corrupt += 1
                if corrupt >= CORRUPT_IN_A_ROW:
                    raise SourceError(
                        "corrupt", f"{shown}: {corrupt} packets in a row do not decode"
                    ) from None
                yield Skipped("corrupt", f"{shown} has packets that do not decode; they are left out")
                continue
            except (av.FFmpegError, OSError, ValueError) as error:
                if isinstance(error, av.error.TimeoutError | av.error.ExitError):
                    raise silence(request) from None
                raise failure(error, shown) from None
            for frame in frames:
                corrupt = 0
                # The stream's unit of time is used, since frames that were held back do not know theirs.
                unit = float(stream.time_base or 0)
                media = frame.pts * unit if frame.pts is not None and unit else count / rate
                count += 1
                yield Decoded(frame, media, frame.duration * unit or 1 / rate)
        if not count:
            raise SourceError("no_frames", f"{shown} holds no frame that can be decoded")


def encoded(frame: av.VideoFrame, shown: str, quality: int) -> bytes:
    """The frame as JPEG of `quality` 1-100, upright. Raises SourceError for a picture of unreasonable size."""
    if frame.width * frame.height > MAX_PIXELS:
        raise _too_large(shown, frame.width, frame.height)
    # One thread, else FFmpeg starts one for each core, for every frame.
    image = np.asarray(frame.to_ndarray(format="bgr24", threads=1), np.uint8)
    return encode_jpeg(upright(image, frame), quality)


def _named(file: int, url: str) -> io.FileIO:
    """The open file under its name, whose ending FFmpeg looks at where the content leaves a doubt."""
    opened = io.FileIO(file, closefd=False)
    opened.name = url
    return opened


@contextmanager
def _web(request: DecodeRequest) -> "Iterator[WebFiles | None]":
    """What our own client reads for FFmpeg, if the address is one of http(s). It knows best what is wrong."""
    if urlsplit(request.url).scheme.lower() not in ("http", "https"):
        yield None
        return
    from producer.sources.streams.web import WebFiles  # aiohttp takes 20 MB, and only these need it

    web = WebFiles(request)
    try:
        yield web
    except SourceError as error:
        if web.trouble is None or error.reason == "too_many_pixels":
            raise
        raise web.trouble from None
    finally:
        web.close()


def _opened(
    request: DecodeRequest, web: "WebFiles | None", beat: Callable[[], None], file: int | None
) -> "av.container.InputContainer":
    """The opened source. Raises SourceError."""
    patience = _Patience(request.open_timeout, beat, web)
    scheme = urlsplit(request.url).scheme.lower()
    timeout = request.open_timeout, request.read_timeout
    redirect = None
    try:
        if web is not None:
            playlist = web.begin()
            # FFmpeg has this time twice: for opening, and for looking at what comes.
            twice = None if request.open_timeout is None else 2 * request.open_timeout
            patience = _Patience(twice, beat, web)
            options = {**request.options, **allowed(scheme, playlist=playlist)}
            options |= NO_CONNECTIONS if playlist else {}
            return av.open(web.name, "r", "hls" if playlist else None, options, timeout=timeout, io_open=web)
        if scheme != "file":
            check_names(request.url, request.shown)
            beat()  # names may take long to be looked up
        with tls_options(request) as trusted, no_redirect(request, patience.until) as redirect:
            options = {**request.options, **allowed(scheme), **trusted}
            source = request.url if file is None else _named(file, request.url)
            return av.open(source, "r", options=options, timeout=timeout)
    except (av.FFmpegError, OSError, ValueError) as error:
        beat()
        if redirect is not None and redirect.refusal is not None:
            raise redirect.refusal from None
        raise open_failure(error, request, in_time=not patience.over) from None


class _Patience:
    """One call that may take `limit` seconds; what is read from the `web` meanwhile too.

    Some of FFmpeg's protocols report their time limit as the end of the stream, or as nonsense; the clock tells what
    it was.
    """

    def __init__(self, limit: float | None, beat: Callable[[], None], web: "WebFiles | None" = None) -> None:
        beat()
        self.until = None if limit is None else time.monotonic() + limit
        if web is not None and self.until is not None:
            web.until = self.until

    @property
    def over(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until


def _chosen(container: "av.container.InputContainer", shown: str) -> "av.VideoStream":
    """The one video stream that is decoded. All others are discarded; those of a playlist are not even fetched."""
    covers = av.stream.Disposition.attached_pic
    videos = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not videos:
        raise SourceError("no_video", f"{shown} has no video stream: give a video, or a folder of images")
    stream = videos[choose([(video.width, video.height) for video in videos])]
    if stream.width * stream.height > MAX_PIXELS:
        raise _too_large(shown, stream.width, stream.height)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    return stream


def _rest(stream: "av.VideoStream") -> list[av.VideoFrame]:
    """The frames that the decoder holds back to put them in order: else a keyframe would come out with the next one."""
    frames = stream.codec_context.decode(None)
    stream.codec_context.flush_buffers()
    return list(frames)


def _media(packet: "av.Packet[av.VideoStream]") -> float | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)


def _no_keyframe(shown: str) -> SourceError:
    return SourceError(
        "no_keyframe", f"{shown} sent no keyframe for {KEYFRAME_SECONDS:.0f} s: {KEYFRAMES_HINT}"
    )


def _too_large(shown: str, width: int, height: int) -> SourceError:
    return SourceError(
        "too_many_pixels", f"{shown} has frames of {width}x{height}, more than {MAX_PIXELS:,} pixels"
    )
