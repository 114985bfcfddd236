"""What the process that reads a video says to whoever started it."""

import msgspec
from msgspec import Struct

from batch.video.errors import Reason
from batch.video.report import VideoReport
from batch.video.sampler import Why
from runtime.pipes import write_whole

LENGTH_BYTES = 4
LARGEST = 64 << 20
"""Bytes of one message: a JPEG of 8192 x 8192 pixels, at worst."""


class EncodedSample(Struct, frozen=True, kw_only=True, tag="sample"):
    """A sample whose picture is a JPEG of `width` x `height` pixels; see `batch.video.samples.Sample`.

    jpeg: None for one that is not analysed.
    size: width and height before it was made smaller, of which boxes are to be told.
    """

    index: int
    time: float
    windows: tuple[int, ...]
    why: Why
    reuse_of: int | None
    size: tuple[int, int]
    width: int = 0
    height: int = 0
    jpeg: bytes | None = None


class UploadPause(Struct, frozen=True, tag="waiting"):
    """The upload goes on, and nothing new has come of it."""


class Ended(Struct, frozen=True, tag="ended"):
    """The last word: the counts, and why it could not be read, or not to its end."""

    report: VideoReport
    reason: Reason | None = None
    sentence: str = ""


Word = EncodedSample | UploadPause | Ended

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Word)


def send(pipe: int, word: Word) -> None:
    """Write a message, with its length before it."""
    body = _encoder.encode(word)
    write_whole(pipe, len(body).to_bytes(LENGTH_BYTES), body)


def parse_word(body: bytes | bytearray) -> Word:
    """Read a message. Raises ValueError (msgspec.DecodeError) for anything else."""
    word: Word = _decoder.decode(body)
    return word
