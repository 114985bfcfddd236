"""A sender that writes AMQP 0-9-1 by hand: what pika cannot write, other clients do, and what none of them should."""

import contextlib
import socket
import struct
from types import TracebackType
from urllib.parse import unquote, urlsplit

METHOD, HEADER, BODY, END = 1, 2, 3, b"\xce"
START_OK, TUNE, TUNE_OK, OPEN, CLOSE = (
    10 << 16 | 11,
    10 << 16 | 30,
    10 << 16 | 31,
    10 << 16 | 40,
    10 << 16 | 50,
)
CHANNEL_OPEN, CHANNEL_CLOSE = 20 << 16 | 10, 20 << 16 | 40
PUBLISH, ACK, NACK = 60 << 16 | 40, 60 << 16 | 80, 60 << 16 | 120
SELECT = 85 << 16 | 10
FRAME_MAX = 131_072


class Refused(Exception):
    """RabbitMQ closed the channel or the connection; the message is its reason."""


class RawSender:
    """One connection with one confirming channel. Every publish waits for its confirm."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 5672), timeout=20)
        self._received = b""
        self._socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._expect()
        login = f"\x00{unquote(parts.username or '')}\x00{unquote(parts.password or '')}".encode()
        self._method(0, START_OK, struct.pack(">I", 0) + short(b"PLAIN") + long(login) + short(b"en_US"))
        self._expect()
        self._method(0, TUNE_OK, struct.pack(">HIH", 1, FRAME_MAX, 0))
        self._method(0, OPEN, short(unquote(parts.path[1:]).encode() or b"/") + b"\x00\x00")
        self._expect()
        self._method(1, CHANNEL_OPEN, b"\x00")
        self._expect()
        self._method(1, SELECT, b"\x00")
        self._expect()

    def __enter__(self) -> "RawSender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._method(0, CLOSE, struct.pack(">H", 200) + short(b"") + bytes(4))
        self._socket.close()

    def publish(
        self, properties: bytes, body: bytes, *, key: bytes = b"frame_queue", exchange: bytes = b""
    ) -> bool:
        """Send a message whose content header has these properties, flags first; returns whether it was confirmed.

        Raises Refused.
        """
        self._method(1, PUBLISH, bytes(2) + short(exchange) + short(key) + b"\x00")
        self._frame(HEADER, 1, struct.pack(">HHQ", 60, 0, len(body)) + properties)
        for at in range(0, len(body), FRAME_MAX - 8):
            self._frame(BODY, 1, body[at : at + FRAME_MAX - 8])
        while (method := self._expect()) not in (ACK, NACK):
            pass
        return method == ACK

    def _method(self, channel: int, method: int, arguments: bytes) -> None:
        self._frame(METHOD, channel, struct.pack(">I", method) + arguments)

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        self._socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + END)

    def _expect(self) -> int:
        """The next method from the broker."""
        while True:
            kind, _, size = struct.unpack(">BHI", self._take(7))
            payload = self._take(size + 1)[:-1]
            if kind != METHOD:
                continue
            method: int = struct.unpack(">I", payload[:4])[0]
            if method in (CLOSE, CHANNEL_CLOSE):
                raise Refused(payload[7 : 7 + payload[6]].decode())
            return method

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            received = self._socket.recv(65_536)
            if not received:
                raise Refused("the connection was closed")
            self._received += received
        taken, self._received = self._received[:count], self._received[count:]
        return taken


def short(value: bytes) -> bytes:
    """A short string."""
    return bytes((len(value),)) + value


def long(value: bytes) -> bytes:
    """A long string."""
    return struct.pack(">I", len(value)) + value
