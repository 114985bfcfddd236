"""What the producer and its decoding processes tell each other: MessagePack, each message behind its length.

They travel over a socket pair, never as arguments or in the environment: others can read those, and addresses hold
passwords.
"""

from typing import Literal

import msgspec

LENGTH_BYTES = 4
LARGEST = 256 * 1024 * 1024
"""A JPEG of 50 megapixels is far smaller: anything longer is not a message of ours."""

Pace = Literal["live", "media", "eager"]


class DecodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to read, and how.

    shown: what messages call it, without credentials. options: FFmpeg's, for the protocol and the container.
    open_timeout, read_timeout: seconds that FFmpeg may wait for the other side; None: as long as it takes.
    fps: at most so many frames a second, as they arrive if it is live, else of media time; 0: all.
    quality: of the JPEGs, 1-100.
    pace: `live` takes frames as they come, the newest wins; `media` plays them by their own timestamps; `eager` as
    fast as they are taken. Nothing is dropped in the last two.
    skip: frames at the beginning that were seen already. keyframes_only: as `FrameFeed.keyframes_only` asks for.
    verify: whether somebody trusted must have signed the other side's certificate, in its name.
    fingerprint: the SHA-256 of the one certificate that is trusted instead.
    hosts: those that the source may lead to besides its own.
    """

    url: str
    shown: str
    options: dict[str, str] = {}
    open_timeout: float | None = None
    read_timeout: float | None = None
    fps: float = 0.0
    quality: int = 85
    pace: Pace = "live"
    skip: int = 0
    keyframes_only: bool = False
    verify: bool = True
    fingerprint: bytes | None = None
    hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"DecodeRequest({self.shown!r}, pace={self.pace!r})"  # a log must not show the address


class Open(msgspec.Struct, frozen=True, tag=True):
    """Read this as camera number `camera`; the first picture may be sent at once.

    `with_file`: it is a file, which the producer has opened and sends along (SCM_RIGHTS): the process may open none.
    """

    camera: int
    request: DecodeRequest
    with_file: bool = False


class Take(msgspec.Struct, frozen=True, tag=True):
    """The last picture was taken: one more may be sent."""

    camera: int


class KeyframesOnly(msgspec.Struct, frozen=True, tag=True):
    """Decode keyframes only, if they come often enough, because nothing moves; or decode all frames again."""

    camera: int
    on: bool


class Close(msgspec.Struct, frozen=True, tag=True):
    """Stop reading this camera."""

    camera: int


class Ping(msgspec.Struct, frozen=True, tag=True):
    """A question whether the process is well; Pong is the answer."""


class DecodedPicture(msgspec.Struct, frozen=True, tag=True):
    """One frame as JPEG.

    timestamp: when it was captured, in Unix seconds. number: its number among all that were decoded, from 0.
    skipped: how many frames were left out since the message before, by reason.
    """

    camera: int
    timestamp: float
    jpeg: bytes
    number: int
    skipped: dict[str, int]


class LeftOut(msgspec.Struct, frozen=True, tag=True):
    """A sign of life while there is no picture: how many frames were left out, by reason.

    `detail` says more about one of the reasons, `reason`.
    """

    camera: int
    skipped: dict[str, int]
    reason: str = ""
    detail: str = ""


class StreamEnded(msgspec.Struct, frozen=True, tag=True):
    """The source came to its end, or cannot go on, as `reason` (one word) and `text` say."""

    camera: int
    reason: str | None = None
    text: str = ""


class Pong(msgspec.Struct, frozen=True, tag=True):
    """For each camera that is in FFmpeg's hands: the seconds that this call has taken so far."""

    busy: dict[int, float]


Order = Open | Take | KeyframesOnly | Close | Ping
News = DecodedPicture | LeftOut | StreamEnded | Pong

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_news: msgspec.msgpack.Decoder[News] = msgspec.msgpack.Decoder(News)


def framed(message: Order | News) -> bytes:
    """The message as it travels: behind its length."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes) -> int:
    """The number of bytes of the message behind this head. Raises ValueError if it is impossibly large."""
    length = int.from_bytes(head, "big")
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes: the stream of messages is broken")
    return length


def parse_order(body: bytes) -> Order:
    """The order in `body`. Raises ValueError (msgspec.ValidationError) if there is none."""
    return _orders.decode(body)


def parse_news(body: bytes) -> News:
    """The news in `body`. Raises ValueError (msgspec.ValidationError) if there is none."""
    return _news.decode(body)
