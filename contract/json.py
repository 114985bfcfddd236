"""Reads JSON that may be nested a thousand deep: that is malformed JSON, and no RecursionError in the reader."""

from typing import TypeVar

import msgspec

T = TypeVar("T")

_any_decoder = msgspec.json.Decoder(msgspec.Raw)


def decode(decoder: msgspec.json.Decoder[T], body: bytes | str) -> T:
    """Return `decoder.decode(body)`. Raises msgspec.DecodeError (a ValueError), for depth too."""
    try:
        return decoder.decode(body)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None


def check(body: bytes) -> None:
    """Check that `body` is JSON, without building anything. Raises msgspec.DecodeError, UnicodeDecodeError."""
    decode(_any_decoder, body)
