"""Reading JSON that may be nested a thousand deep: malformed like any other, not a RecursionError in its reader."""

from typing import TypeVar

import msgspec

T = TypeVar("T")

_any_decoder = msgspec.json.Decoder(msgspec.Raw)


def decode(decoder: msgspec.json.Decoder[T], body: bytes | str) -> T:
    """`decoder.decode(body)`. Raises msgspec.DecodeError (a ValueError), for depth too."""
    try:
        return decoder.decode(body)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None


def check(body: bytes) -> None:
    """Go through JSON of any kind, and build nothing. Raises msgspec.DecodeError, UnicodeDecodeError."""
    decode(_any_decoder, body)
