"""A message's properties: read from whatever a sender wrote, written so that they fit. Neither raises.

In place of pika's own, whose reading and writing raise (see broker.tables). What cannot be carried is replaced in one
way: a short string longer than 255 bytes keeps its beginning and ends in `~` and a digest of the whole; of headers
that are too large for a frame the largest are left out, and a header of ours names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from broker import tables
from broker.tables import SHORT, Raw
from contract.abbreviation import shortened
from contract.dead_letters import LEFT_OUT, PREFIX

Short = str | bytes
"""A short string: bytes where it is not UTF-8."""
Fields = tuple[tuple[bytes, Raw], ...]
"""Headers as they are written: names, and values with their kind."""

ROOM = 128 * 1024 - 64
"""Bytes for all properties where RabbitMQ's own limit to a frame holds."""
NAMED, NAME_LENGTH = 10, 80
"""Headers left out that are named, and how far."""

_STRING, _TABLE, _OCTET, _LONG = -1, 0, 1, 8  # the last two in bytes
# In the order of their flags, from the highest bit down.
_KINDS = {
    "content_type": _STRING,
    "content_encoding": _STRING,
    "fields": _TABLE,
    "delivery_mode": _OCTET,
    "priority": _OCTET,
    "correlation_id": _STRING,
    "reply_to": _STRING,
    "expiration": _STRING,
    "message_id": _STRING,
    "timestamp": _LONG,
    "type": _STRING,
    "user_id": _STRING,
    "app_id": _STRING,
    "cluster_id": _STRING,
}
_LAYOUT = tuple((name, kind, 1 << (15 - place)) for place, (name, kind) in enumerate(_KINDS.items()))
_MORE_FLAGS = 1


@dataclass(frozen=True)
class Properties:
    """What a message says of itself beside its body. None: not said."""

    content_type: Short | None = None
    content_encoding: Short | None = None
    fields: Fields | None = None
    delivery_mode: int | None = None
    priority: int | None = None
    correlation_id: Short | None = None
    reply_to: Short | None = None
    expiration: Short | None = None
    message_id: Short | None = None
    timestamp: int | None = None
    type: Short | None = None
    user_id: Short | None = None
    app_id: Short | None = None
    cluster_id: Short | None = None

    @cached_property
    def headers(self) -> dict[str, Any]:
        """The headers' meaning; of several with one name the first, as RabbitMQ has it."""
        decoded: dict[str, Any] = {}
        for name, value in self.fields or ():
            decoded.setdefault(tables.text(name), tables.decode(value))
        return decoded


def short(value: Short) -> bytes:
    """A short string as it is written, of at most 255 bytes."""
    return shortened(value if isinstance(value, bytes) else value.encode("utf-8", "replace"), SHORT)


def fields_of(headers: Mapping[Any, Any]) -> Fields:
    """Headers, written."""
    return tuple((tables.encode_name(name), Raw(tables.encode(value))) for name, value in headers.items())


def read(content: bytes) -> Properties:
    """The properties in a content header, flags first; of broken ones what comes before the break."""
    if len(content) < 2:
        return Properties()
    at = 2
    flags = more = int.from_bytes(content[:2], "big")
    while more & _MORE_FLAGS and at + 2 <= len(content):  # AMQP has no properties for these
        more = int.from_bytes(content[at : at + 2], "big")
        at += 2
    found: dict[str, Any] = {}
    for name, kind, flag in _LAYOUT:
        if not flags & flag:
            continue
        if at >= len(content):
            break
        if kind == _STRING:
            end = at + 1 + content[at]
            found[name] = tables.text_or_bytes(content[at + 1 : end])
        elif kind == _TABLE:
            end = at + 4 + int.from_bytes(content[at : at + 4], "big")
            found[name] = tuple(tables.split(content[at + 4 : end]))
        else:
            end = at + kind
            found[name] = int.from_bytes(content[at:end], "big")
        at = end
    return Properties(**found)


def write(properties: Properties, room: int = ROOM) -> bytes:
    """The properties as a content header has them, in at most `room` bytes."""
    flags = 0
    pieces: list[bytes] = []
    place = 0  # of the headers, which get the room that the others leave
    for name, kind, flag in _LAYOUT:
        value = getattr(properties, name)
        if value is None:
            continue
        flags |= flag
        if kind == _STRING:
            written = short(value)
            pieces.append(b"%c%b" % (len(written), written))
        elif kind == _TABLE:
            place = len(pieces)
        else:
            pieces.append(min(max(value, 0), 256**kind - 1).to_bytes(kind, "big"))
    if properties.fields is not None:
        left = room - 2 - 4 - sum(map(len, pieces))
        table = tables.join(properties.fields)
        if len(table) > left:
            table = tables.join(_fitting(properties.fields, left))
        pieces.insert(place, len(table).to_bytes(4, "big") + table)
    return flags.to_bytes(2, "big") + b"".join(pieces)


def _fitting(fields: Fields, room: int) -> Fields:
    """Those that fit, of more than do: the largest are left out first, ours last."""
    size = sum(map(_size, fields))
    ours = PREFIX.encode()
    left_out: list[bytes] = []
    for field in sorted(fields, key=lambda field: (field[0].startswith(ours), -_size(field))):
        left_out.append(field[0])
        size -= _size(field)
        told = _told(left_out)
        if size + _size(told) <= room:
            break
    gone = {*left_out, LEFT_OUT.encode()}  # which a sender may have written, too
    return (*(field for field in fields if field[0] not in gone), told)


def _told(left_out: list[bytes]) -> tuple[bytes, Raw]:
    names = [tables.text(name)[:NAME_LENGTH] for name in left_out[:NAMED]]
    said = f"{len(left_out)} headers that were too large together: {', '.join(names)}"
    return LEFT_OUT.encode(), Raw(tables.encode(said))


def _size(field: tuple[bytes, Raw]) -> int:
    return 1 + len(field[0]) + len(field[1])
