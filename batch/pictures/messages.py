"""What is asked of the process that works on pictures, and what it answers."""

import msgspec
from msgspec import Struct

from runtime.pipes import write_whole

LENGTH_BYTES = 4
LARGEST = 64 << 20


class PictureBox(Struct, frozen=True, array_like=True):
    """A box to draw, in pixels of the picture, and the words beside it."""

    x: int
    y: int
    w: int
    h: int
    text: str


class PictureWish(Struct, frozen=True):
    """A picture that is wanted as JPEG of `quality` 1-100: with `boxes`, and no wider than `width` pixels (0:
    as it is)."""

    picture: bytes
    boxes: list[PictureBox] = []
    width: int = 0
    quality: int = 95


class PictureAnswer(Struct, frozen=True):
    """The JPEG, or in a sentence why there is none."""

    jpeg: bytes = b""
    error: str = ""


def send(pipe: int, word: PictureWish | PictureAnswer) -> None:
    """Write a message, with its length before it."""
    body = msgspec.msgpack.encode(word)
    write_whole(pipe, len(body).to_bytes(LENGTH_BYTES), body)
