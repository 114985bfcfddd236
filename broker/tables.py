"""AMQP's field tables (0-9-1, 4.2.5, with RabbitMQ's types): what headers are written in.

Senders write what they like, and pika raises at much of it: timestamps in milliseconds, deep nesting, unknown types.
Reading here never raises: what is not understood, or nested deeper than DEPTH, is given as the bytes that it is. Nor
does writing: what no table can carry becomes text. A table taken apart with `split` and put together again is the same
byte for byte, so what is passed on stays as it was sent.
"""

import math
import struct
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from contract.numbers import Float32

DEPTH = 32
"""Nesting that is read and written. A header of 128 KiB can be nested 26,000 deep."""
SHORT = 255
"""The most bytes that a short string has; names are short strings."""
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


class Raw(bytes):
    """A value as it stood in a table, its kind included."""


# Of fixed length: kind to format. RabbitMQ, as most clients, reads `s` and `l` as signed.
_FIXED: dict[int, struct.Struct] = {
    ord(kind): struct.Struct(f">{code}")
    for kind, code in {
        "t": "?",
        "b": "b",
        "B": "B",
        "s": "h",
        "U": "h",
        "u": "H",
        "I": "i",
        "i": "I",
        "l": "q",
        "L": "q",
        "f": "f",
        "d": "d",
        "T": "Q",  # Unix seconds; what cannot be such is for the reader to judge
    }.items()
}
_DECIMAL = struct.Struct(">Bi")
_LENGTH = struct.Struct(">I")
_MEASURED = b"SxAF"  # they say how long they are


def split(table: bytes) -> list[tuple[bytes, Raw]]:
    """The fields of a table (without its length), in their order, values as they stand. Never raises.

    From a field whose length is not known to the end is one byte array.
    """
    found: list[tuple[bytes, Raw]] = []
    at, end = 0, len(table)
    while at < end:
        name_end = at + 1 + table[at]
        value_end = _skip(table, name_end, end)
        name = table[at + 1 : name_end]
        if value_end is None:
            found.append((name, Raw(_array(table[name_end:]))))
            break
        found.append((name, Raw(table[name_end:value_end])))
        at = value_end
    return found


def join(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A table (without its length) of fields whose values are written already."""
    return b"".join(b"%c%b%b" % (len(name), name, value) for name, value in fields)


def decode(value: bytes, depth: int = 0) -> Any:
    """Read a written value. Never raises: what is not understood comes back as bytes.

    A 32-bit float says that it is one (Float32): who reads it may need more digits. Timestamps are whole numbers, as
    sent; long strings that are not UTF-8, and byte arrays, are bytes.
    """
    return _decode(value, 0, len(value), depth)[0]


def decode_table(table: bytes, depth: int = 0) -> dict[str, Any]:
    """The fields of a table (without its length) by name; the first of several with one name, as RabbitMQ has it."""
    decoded: dict[str, Any] = {}
    for name, value in split(table):
        decoded.setdefault(text(name), decode(value, depth))
    return decoded


def encode(value: Any, depth: int = 0) -> bytes:
    """The value as a table has it, its kind first. Never raises: what no table can carry becomes text."""
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    if isinstance(value, Mapping | list | tuple):
        if depth >= DEPTH:
            return _long("nested too deeply")
        return _nested(value, depth + 1)
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    return _long(str(value))


def encode_name(name: str | bytes) -> bytes:
    """A field's name, cut to what fits."""
    return (name if isinstance(name, bytes) else name.encode("utf-8", "replace"))[:SHORT]


def text(name: bytes) -> str:
    """Show bytes off the wire as text, with what is not UTF-8 as `\\xfc`."""
    return name.decode("utf-8", "backslashreplace")


def text_or_bytes(value: bytes) -> str | bytes:
    """Text where it is UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _skip(table: bytes, at: int, end: int) -> int | None:
    """Find the end of the value that begins at `at`; None if it cannot be told, or is beyond the end."""
    if at >= end:
        return None
    kind = table[at]
    at += 1
    if kind in _FIXED:
        at += _FIXED[kind].size
    elif kind in _MEASURED:
        if at + 4 > end:
            return None
        at += 4 + _LENGTH.unpack_from(table, at)[0]
    elif kind == ord("D"):
        at += _DECIMAL.size
    elif kind != ord("V"):
        return None
    return at if at <= end else None


def _decode(data: bytes, at: int, end: int, depth: int) -> tuple[Any, int]:
    """The value at `at`, and where it ends."""
    stop = _skip(data, at, end)
    if stop is None:
        return data[at:end], end
    kind = data[at]
    fixed = _FIXED.get(kind)
    if fixed is not None:
        value = fixed.unpack_from(data, at + 1)[0]
        return Float32(value) if kind == ord("f") else value, stop
    if kind == ord("S"):
        return text_or_bytes(data[at + 5 : stop]), stop
    if kind == ord("x"):
        return data[at + 5 : stop], stop
    if kind == ord("V"):
        return None, stop
    if kind == ord("D"):
        places, number = _DECIMAL.unpack_from(data, at + 1)
        return Decimal(number).scaleb(-places), stop
    if depth >= DEPTH:
        return data[at:stop], stop
    if kind == ord("F"):
        return decode_table(data[at + 5 : stop], depth + 1), stop
    items = []
    at += 5
    while at < stop:
        item, at = _decode(data, at, stop, depth + 1)
        items.append(item)
    return items, stop


def _array(value: bytes) -> bytes:
    return b"x" + _LENGTH.pack(len(value)) + value


def _long(value: str) -> bytes:
    encoded = value.encode("utf-8", "replace")
    return b"S" + _LENGTH.pack(len(encoded)) + encoded


def _whole(value: int) -> bytes:
    if INT32_MIN <= value <= INT32_MAX:
        return b"I" + value.to_bytes(4, "big", signed=True)
    if INT64_MIN <= value <= INT64_MAX:
        return b"l" + value.to_bytes(8, "big", signed=True)
    return _long(f"{value:#x}")  # as decimal digits Python refuses to write thousands


def _real(value: float) -> bytes:
    # RabbitMQ closes the connection of whoever writes one that is not finite: Erlang has no word for it.
    return b"d" + _FIXED[ord("d")].pack(value) if math.isfinite(value) else _long(str(value))


def _decimal(value: Decimal) -> bytes:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -255 <= exponent <= 0:
        number = int(value.scaleb(-exponent))
        if INT32_MIN <= number <= INT32_MAX:
            return b"D" + _DECIMAL.pack(-exponent, number)
    return _long(str(value))


def _nested(value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> bytes:
    if isinstance(value, Mapping):
        content = join((encode_name(_named(name)), encode(item, depth)) for name, item in value.items())
        return b"F" + _LENGTH.pack(len(content)) + content
    content = b"".join(encode(item, depth) for item in value)
    return b"A" + _LENGTH.pack(len(content)) + content


def _named(name: Any) -> str | bytes:
    return name if isinstance(name, str | bytes) else str(name)


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    Raw: bytes,
    bool: lambda value: b"t\x01" if value else b"t\x00",
    int: _whole,
    float: _real,
    str: _long,
    bytes: _array,
    type(None): lambda _none: b"V",
    Decimal: _decimal,
}
