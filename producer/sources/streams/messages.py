"""What the producer and its decoding processes tell each other: MessagePack, each message behind its length.

Over a socket pair, never over arguments or the environment: those can be read by others, and addresses hold passwords.
"""

from typing import Literal

import msgspec

LENGTH_BYTES = 4
LARGEST = 256 * 1024 * 1024  # a JPEG of 50 megapixels is far smaller: what is longer is no message of ours

Pace = Literal["live", "media", "eager"]


class DecodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read, and how.

    shown: what messages call it, without credentials. options: FFmpeg's, for the protocol and the container.
    open_timeout, read_timeout: seconds that FFmpeg may wait for the other side; None: as long as it takes.
    fps: at most so many frames a second, as they arrive if it is live, else of media time; 0: all.
    quality: of the JPEGs, 1-100.
    pace: `live` takes frames as they come, the newest wins; `media` plays them by their own timestamps; `eager` as
    fast as they are taken. Nothing is dropped in the last two.
    skip: frames at the beginning that were seen already. keyframes_only: as `Feed.keyframes_only` would ask for.
    verify: whether somebody trusted must have signed the other side's certificate, in its name.
    fingerprint: the SHA-256 of the one certificate that is trusted instead.
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

    def __repr__(self) -> str:
        return f"DecodeRequest({self.shown!r}, pace={self.pace!r})"  # a log must not show the address


class Open(msgspec.Struct, frozen=True, tag=True):
    """Read this as camera number `camera`; the first picture may be sent at once."""

    camera: int
    request: DecodeRequest


class Take(msgspec.Struct, frozen=True, tag=True):
    """The last picture was taken: one more may be sent."""

    camera: int


class KeyframesOnly(msgspec.Struct, frozen=True, tag=True):
    """Nothing moves: decode keyframes only, if they come often enough; or all again."""

    camera: int
    on: bool


class Close(msgspec.Struct, frozen=True, tag=True):
    """Read it no more."""

    camera: int


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Are you well?"""


class DecodedPicture(msgspec.Struct, frozen=True, tag=True):
    """A frame: when it was captured (Unix seconds), as JPEG; its number among the decoded ones, from 0; and how many
    were left out since the message before, by reason."""

    camera: int
    timestamp: float
    jpeg: bytes
    number: int
    skipped: dict[str, int]


class LeftOut(msgspec.Struct, frozen=True, tag=True):
    """No picture for a while, but a sign of life: what was left out, by reason; `detail` says more of one of them,
    `reason`."""

    camera: int
    skipped: dict[str, int]
    reason: str = ""
    detail: str = ""


class StreamEnded(msgspec.Struct, frozen=True, tag=True):
    """It came to its end, or `reason` (one word) and `text` say why it cannot go on."""

    camera: int
    reason: str | None = None
    text: str = ""


class Pong(msgspec.Struct, frozen=True, tag=True):
    """For each camera the seconds that the call into FFmpeg has taken in which it is now; those that wait are
    missing."""

    busy: dict[int, float]


Order = Open | Take | KeyframesOnly | Close | Ping
News = DecodedPicture | LeftOut | StreamEnded | Pong

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_news: msgspec.msgpack.Decoder[News] = msgspec.msgpack.Decoder(News)


def framed(message: Order | News) -> bytes:
    """The message as it travels."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes) -> int:
    """Bytes of the message behind this head. Raises ValueError if that cannot be."""
    length = int.from_bytes(head, "big")
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes: the stream of messages is broken")
    return length


def parse_order(body: bytes) -> Order:
    """Raises ValueError (msgspec.ValidationError) for what is no order."""
    return _orders.decode(body)


def parse_news(body: bytes) -> News:
    """Raises ValueError (msgspec.ValidationError) for what is no news."""
    return _news.decode(body)
