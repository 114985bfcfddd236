"""Unwraps tasks from whatever clients put around them: compression, byte-order marks, other dialects of base64.

The same bytes written in another way are read; nothing is guessed. Bounded: a small body stays small.
"""

import binascii
import codecs
import json
import zlib

import msgspec

from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.json import decode
from contract.picture import JPEG_SIGNATURE, PNG_SIGNATURE

GZIP_OR_ZLIB = 47  # tells zlib to go by the header

_GZIP = b"\x1f\x8b"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PICTURES = (JPEG_SIGNATURE, PNG_SIGNATURE)
_PICTURES_IN_BASE64 = (b"/9j/", b"iVBORw0KGgo", b"_9j_", b"data:image/")

_text_decoder = msgspec.json.Decoder(str)


def is_picture(data: bytes) -> bool:
    """Tell whether the bytes begin like a JPEG or PNG."""
    return data.startswith(_PICTURES)


def unwrap(body: bytes, most: int) -> bytes:
    """Return the picture, or the JSON in UTF-8, that is inside `body`; else `body` itself. Raises InvalidTask.

    What unpacks to more than `most` bytes is too large.
    """
    data = _unpacked(body, most) if body.startswith((_GZIP, *_ZLIB)) else body
    if is_picture(data):
        return data
    data = _utf8(data).rstrip(b"\0")  # C programs send the end of their string along
    if data.startswith(b'"'):  # JSON that was encoded twice
        try:
            inner = decode(_text_decoder, data).encode()
        except ValueError:
            return data
        picture = unwrap_picture(inner)
        return picture if is_picture(picture) or inner.startswith(b"{") else data
    return unwrap_picture(data)


def unwrap_picture(data: bytes) -> bytes:
    """Decode a picture in base64; return anything else as it is."""
    if not data.startswith(_PICTURES_IN_BASE64):
        return data
    try:
        picture = decode_base64(data.decode("ascii"))
    except (InvalidTask, UnicodeDecodeError):
        return data
    return picture if is_picture(picture) else data


def decode_base64(text: str) -> bytes:
    """Decode base64 in either alphabet, in lines or not, padded or not, as a data URI, or as Python shows bytes.

    Raises InvalidTask.
    """
    text = text.strip()
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise InvalidTask(
                FailureReason.NOT_BASE64,
                "`frame` is a data URI, but not of the kind `data:image/jpeg;base64,…`",
            )
    elif text[:2] in ("b'", 'b"') and text[-1] == text[1]:
        text = text[2:-1]
    try:
        plain = text.encode("ascii").translate(_STANDARD_ALPHABET, b" \t\r\n\v\f").rstrip(b"=")
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidTask(FailureReason.NOT_BASE64, _why_not_base64(text, error)) from None


_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def _why_not_base64(text: str, error: Exception) -> str:
    if "://" in text[:10] or text.lower().endswith((".jpg", ".jpeg", ".png")):
        return "`frame` is an address: the picture itself belongs there, as base64 of a JPEG or PNG"
    if isinstance(error, UnicodeEncodeError):
        odd = text[error.start : error.start + 1]
        return f"`frame` is not base64: it has the character {odd!r}. Encode the bytes of the JPEG or PNG as base64"
    return f"`frame` is not base64 ({error}): is it complete? Encode the bytes of the JPEG or PNG as base64"


def _unpacked(body: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        data = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise InvalidTask(FailureReason.NOT_JSON, f"the body is compressed, but damaged: {error}") from None
    if len(data) > most:
        raise InvalidTask(FailureReason.TOO_LARGE, f"the body unpacks to more than the limit of {most} bytes")
    if not unpacking.eof:
        raise InvalidTask(FailureReason.NOT_JSON, "the body is compressed, but ends before its end")
    return data


def _utf8(data: bytes) -> bytes:
    encoding = json.detect_encoding(data[:4])
    if encoding == "utf-8":
        return data
    try:
        return codecs.decode(data, encoding).encode()
    except UnicodeError:
        return data
