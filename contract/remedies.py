"""Explains in a sentence what is wrong with a message that is not a task, and what to write instead."""

import math
import re
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from contract.identifiers import CAMERA_ID, MAX_FRAME_ID
from contract.json import check
from contract.numbers import Float32
from contract.picture import other_format

MILLISECONDS_FROM = 1e11
"""A time above this is in milliseconds: as Unix seconds it would lie beyond the year 5138."""

REQUIRED = ("frame", "timestamp")
TASK = (
    'a task is a JSON object, {"frame": "<base64 of a JPEG or PNG>", "timestamp": <Unix seconds>}, or the JPEG or PNG '
    "itself, content type image/jpeg or image/png, with `timestamp` in the headers"
)
WHOLE_PICTURE = "send the file of a JPEG or PNG as it is, all of it"
EMPTY_FRAME = "`frame` is empty: the picture belongs there, as base64 of a JPEG or PNG"
_TIMESTAMP = "it is the time of capture in Unix seconds, a number like 1795216000.123"
_SHOWN = 60
_UNITS = ((1e17, "nanoseconds", 1e9), (1e14, "microseconds", 1e6), (MILLISECONDS_FROM, "milliseconds", 1e3))

# Other names that senders use for the two required fields, without case, `_` and `-`.
_OTHER_NAMES = {
    "frame": "frame frames framedata framebase64 image images imagedata imagebase64 img picture photo jpeg jpg "
    "png snapshot base64 b64 data content body payload file",
    "timestamp": "timestamp timestamps time ts t datetime date unixtime epoch capturedat capturetime captured "
    "createdat timestampms originaltimestamp",
}
_MEANT = {name: frozenset(others.split()) for name, others in _OTHER_NAMES.items()}

_NO_PICTURES = ("gzip", "HTML", "XML", "JSON")
_PACKED = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
)
_EDGE = 2_000
"""How many bytes at either end of a body are searched for what it may be; the whole can be large."""
# Matches a string, which may be a field's name, or the beginning or end of an object or array.
_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}\[\]]', re.DOTALL)
_TOKENS = 5_000
_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_ESCAPES = 10_000
"""How many characters that are written as numbers are looked through: two million took a worker three seconds."""
_NO_NUMBER = re.compile(rb":\s*-?(NaN|Infinity|nan|inf)\b")


def foreign_picture(data: bytes) -> str | None:
    """Name the format of a picture, film or document that we do not read, like `WebP`. None for anything else."""
    name = other_format(data)
    return None if name in _NO_PICTURES else name


def not_json(body: bytes, error: Exception) -> str:
    """Explain a body that is neither JSON nor a picture."""
    start = body[:200].lstrip()
    if packed := next((name for beginning, name in _PACKED if body.startswith(beginning)), None):
        return f"the body is compressed with {packed}: only gzip and deflate are unpacked, and none is needed"
    if picture := foreign_picture(body):
        return f"the body is {picture}: only JPEG and PNG are read"
    if re.match(rb"\{\s*'", start):
        return "the body is a dictionary as Python shows it, not JSON: write it with json.dumps"
    if start.startswith(b"[object "):
        return "the body is an object as JavaScript shows it, not JSON: write it with JSON.stringify"
    if half := _half_a_character(body):
        return f"the body has half a character, {half} without the other surrogate of its pair: write whole characters"
    if "trailing characters" in str(error):
        return "something follows the JSON object: each task is a message of its own"
    if _NO_NUMBER.search(_edges(body)):
        return f"the body is not JSON, which has no NaN and no Infinity; `timestamp`: {_TIMESTAMP}"
    if start.startswith(b"<"):
        return f"the body is XML or HTML: {TASK}"
    if re.match(rb"[\w.-]+=", start) or start.startswith(b"--"):
        return f"the body is a form: {TASK}"
    if isinstance(error, UnicodeDecodeError) or not start.isascii():
        return (
            f"the body is neither UTF-8 text nor a JPEG or PNG (it begins with {body[:8].hex(' ')}): {TASK}"
        )
    return f"the body is not JSON ({error}): {TASK}"


def not_an_object(body: bytes) -> str:
    """Explain a body that is JSON, but no object."""
    if body.lstrip().startswith(b"["):
        return "the body is a JSON array: each task is a message of its own"
    return f"the body is JSON, but no object: {TASK}"


class Names(NamedTuple):
    """The names of a task's fields as the sender wrote them.

    `inside` maps names that stand in another field's object to that field; `nested` are fields that are objects or
    arrays.
    """

    top: Sequence[str]
    inside: Mapping[str, str] = {}
    nested: Container[str] = ()


def names(body: bytes) -> Names:
    """Find the field names of a JSON object, as far as a bounded search goes."""
    top: list[str] = []
    inside: dict[str, str] = {}
    nested: set[str] = set()
    within: list[bytes] = []
    for token in islice(_TOKEN.finditer(body), _TOKENS):
        written = token[0]
        if written in (b"{", b"["):
            if len(within) == 1 and top:
                nested.add(top[-1])
            within.append(written)
        elif written in (b"}", b"]"):
            del within[-1:]
        elif token[2] is not None and len(within) <= 2 and b"[" not in within:
            name = token[1].decode("utf-8", "replace")
            if len(within) == 1:
                top.append(name)
            elif name in REQUIRED and top:
                inside.setdefault(name, top[-1])
    return Names(top, inside, nested)


def invalid_fields(given: Mapping[str, Any], error: Exception, *, names: Names, headers: bool) -> str:
    """Explain the first field of a task that is missing or wrong.

    `names` are those of all fields that are there; `headers`: they came in the AMQP headers.
    """
    kind = "the header " if headers else ""
    for name in REQUIRED[1:] if headers else REQUIRED:
        if given.get(name) is None:
            return f"{kind}`{name}` is missing" + _instead(name, names, headers)
    if not headers and not isinstance(given["frame"], str):
        return f"`frame` is {_shown(given['frame'])}: it is text, base64 of the bytes of a JPEG or PNG"
    wrong = _wrong_timestamp(given["timestamp"])
    if wrong is not None:
        return f"{kind}`timestamp` is {_shown(given['timestamp'])}: {wrong}"
    for name in ("camera_id", "frame_id", "model"):
        if name in given and (wrong := _wrong_name(name, given[name])):
            return f"{kind}`{name}` is {_shown(given[name])}: {wrong}"
    return f"in the headers: {error}" if headers else str(error)


def _instead(name: str, names: Names, headers: bool) -> str:
    if name in names.inside:
        return f": it is inside `{_printable(names.inside[name])}`. A task's fields stand at the top of the JSON object"
    for key in names.top[:100]:
        if key not in names.nested and re.sub("[_-]", "", key).lower() in _MEANT[name]:
            return f"; `{_printable(key)}` is there: it is called `{name}`"
    if name == "timestamp":
        where = (
            "; the property of that name, and a body that is a picture, do not carry it" if headers else ""
        )
        return f": {_TIMESTAMP}{where}"
    return f" among {', '.join(map(_printable, names.top[:8])) or 'no fields'}: {TASK}"


def _wrong_timestamp(value: object) -> str | None:
    if isinstance(value, str):
        return _wrong_time_in_words(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _TIMESTAMP
    if isinstance(value, Float32):
        return (
            "it came as a 32-bit float, which cannot hold Unix seconds (it is off by up to 64): write it as text, "
            "for example str(time.time()), or as a double"
        )
    if isinstance(value, float) and not math.isfinite(value):
        return _TIMESTAMP
    if value < 0:
        return f"it is negative, before 1970; {_TIMESTAMP}"
    for least, unit, divisor in _UNITS:
        if value > least and value < least * 1e3:
            return f"these are {unit}, and Unix seconds are meant: divide by {divisor:.0f} ({value / divisor:.3f})"
    return _TIMESTAMP if value > MILLISECONDS_FROM else None


def _wrong_time_in_words(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return _TIMESTAMP
    if moment.tzinfo is None:
        return f"a date without a time zone, and Unix seconds are meant; {_TIMESTAMP}"
    return f"a date, and Unix seconds are meant: write {moment.timestamp():.3f}"


def _wrong_name(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        return f'it is text: write "{value}"' if isinstance(value, int) else "it is text"
    if name == "camera_id" and not re.fullmatch(CAMERA_ID, value):
        suggestion = re.sub(r"[^A-Za-z0-9_-]+", "_", value[:200]).strip("_")[:64]
        like = f', for example "{suggestion}"' if suggestion else ""
        return f"it has 1 to 64 characters, letters, digits, `_` and `-`{like}"
    if name == "model" and not value:
        return "leave it out for the model that is set for the camera"
    most = {"frame_id": MAX_FRAME_ID, "model": 100}.get(name, 64)
    if not 1 <= len(value) <= most:
        return f"it has 1 to {most} characters" + ("; leave it out to get one" if name == "frame_id" else "")
    return None


def _half_a_character(body: bytes) -> str | None:
    """Return the first lone surrogate if lone surrogates are all that keeps the body from being JSON."""
    lone = _LONE_SURROGATE.search(body) if 0 < body.count(b"\\u") <= _ESCAPES else None
    if lone is None:
        return None
    try:
        check(_LONE_SURROGATE.sub(rb"\1?", body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return lone[2].decode()


def _edges(body: bytes) -> bytes:
    return body if len(body) <= 2 * _EDGE else body[:_EDGE] + b" " + body[-_EDGE:]


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{_printable(value)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"{value:.16g}" if abs(value) < 1e300 else "too large"
    return {"list": "an array", "dict": "an object", "bytes": "bytes"}.get(
        type(value).__name__, "of another type"
    )


def _printable(text: str) -> str:
    cut = text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
    return "".join(character if character.isprintable() else "�" for character in cut)
