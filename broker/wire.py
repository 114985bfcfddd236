"""Hands pika our own properties (broker.properties) where it would read and write a message's.

pika asks a connection for its next frame (`_read_frame`), and the properties of what it sends for their bytes
(`encode`). No function of pika's is replaced.
"""

from typing import Any

from pika import frame, spec

from broker.properties import ROOM, Properties, read, write

_START, _CLASS = spec.FRAME_HEADER_SIZE, 12
"""The bytes before a frame's content, and those before the properties in a content header."""
_OVERHEAD = _START + _CLASS + spec.FRAME_END_SIZE


class Written:
    """Properties that are bytes already: nothing can go wrong when pika sends them."""

    INDEX = spec.BasicProperties.INDEX

    def __init__(self, properties: Properties, room: int) -> None:
        self._bytes = write(properties, room)

    def encode(self) -> list[bytes]:
        """The bytes that pika puts into the frame."""
        return [self._bytes]


def room(channel: Any) -> int:
    """The bytes that properties may take on this channel: a content header is one frame."""
    agreed: int = channel.connection.params.frame_max
    return min(ROOM, agreed - _OVERHEAD) if agreed else ROOM


def content_header(buffer: bytes) -> tuple[int, Any] | None:
    """Length and content header at the beginning of `buffer`; (0, None) if the rest is still to come.

    None for any other frame.
    """
    if len(buffer) < _START or buffer[0] != spec.FRAME_HEADER:
        return None
    channel = int.from_bytes(buffer[1:3], "big")
    end = _START + int.from_bytes(buffer[3:7], "big")
    if len(buffer) <= end:
        return 0, None
    if buffer[end] != spec.FRAME_END or end < _START + _CLASS:
        return None  # no frame at all: pika says so
    size = int.from_bytes(buffer[_START + 4 : _START + _CLASS], "big")
    return end + 1, frame.Header(channel, size, read(buffer[_START + _CLASS : end]))
