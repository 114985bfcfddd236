"""Decoding with PyAV, for files and streams alike."""

from collections.abc import Generator
from dataclasses import dataclass

import av
import numpy as np

from producer.frames import Encoded, Skipped, SourceError, encode_jpeg

CORRUPT_IN_A_ROW = 200  # packets that cannot be decoded before the stream counts as broken


@dataclass(frozen=True, slots=True)
class VideoPicture:
    """A decoded frame in the codec's own colours; converted and encoded only when it is sent."""

    frame: av.VideoFrame

    def encoded(self, quality: int) -> Encoded:
        """As JPEG. Takes milliseconds: call it in a thread."""
        image = np.asarray(self.frame.to_ndarray(format="bgr24"), np.uint8)
        return Encoded(encode_jpeg(image, quality), "image/jpeg")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A frame with its media time in seconds from the stream's own clock."""

    media: float
    picture: VideoPicture


def decode(
    url: str,
    shown: str,
    *,
    options: dict[str, str] | None = None,
    timeout: tuple[float, float] | None = None,
) -> Generator[Decoded | Skipped]:
    """Open `url` and yield its video frames; a packet that cannot be decoded is skipped as `corrupt`.

    `timeout` is (open, read) in seconds; `shown` is how messages call the source, without credentials. Blocking.
    Raises SourceError if it does not open, has no video, breaks off, or cannot be decoded at all.
    """
    try:
        container = av.open(url, options=options or {}, timeout=timeout)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise failure(error, shown) from None
    with container:
        if not container.streams.video:
            raise SourceError("no_video", f"{shown} has no video stream: give a video, or a folder of images")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # one core is one camera's fair share, and less delay
        rate = float(stream.average_rate or 25)
        count = corrupt = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                frames = packet.decode()
            except av.error.InvalidDataError:
                corrupt += 1
                if corrupt >= CORRUPT_IN_A_ROW:
                    raise SourceError(
                        "corrupt", f"{shown}: {corrupt} packets in a row do not decode"
                    ) from None
                yield Skipped("corrupt", f"{shown} has packets that do not decode; they are left out")
                continue
            except (av.FFmpegError, OSError, ValueError) as error:
                raise failure(error, shown) from None
            for frame in frames:
                corrupt = 0
                media = frame.time if frame.time is not None else count / rate
                count += 1
                yield Decoded(float(media), VideoPicture(frame))
        if not count:
            raise SourceError("no_frames", f"{shown} holds no frame that can be decoded")


def failure(error: Exception, shown: str) -> SourceError:
    """FFmpeg's error as ours. Its own text may repeat the URL with the password, so only the cause is kept."""
    match error:
        case av.error.TimeoutError() | av.error.ExitError():
            return SourceError(
                "timeout", f"{shown} does not answer in time: is it switched on and reachable?"
            )
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return SourceError("unauthorised", f"{shown} refuses the user name or password")
        case av.error.HTTPNotFoundError():
            return SourceError("not_found", f"{shown} is not there: check the path in the address")
        case av.error.FileNotFoundError():
            return SourceError("missing", f"{shown} does not exist: check the path in SOURCE")
        case av.error.PermissionError():
            return SourceError("forbidden", f"{shown} may not be read by this user")
        case av.error.ConnectionRefusedError():
            return SourceError("refused", f"{shown} refuses the connection: check host and port")
        case av.error.InvalidDataError():
            return SourceError("not_a_video", f"{shown} is no video that FFmpeg can read")
        case av.error.EOFError():
            return SourceError("closed", f"{shown} closed the stream")
        case OSError(strerror=str(text)):
            return SourceError("io_error", f"{shown} cannot be read: {text}")
        case _:
            return SourceError("io_error", f"{shown} cannot be read: {type(error).__name__}")
