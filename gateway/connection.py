"""The server's end of a viewer's WebSocket: uvicorn's own, plus what a stalled viewer needs to be got rid of.

uvicorn offers neither the state of the write buffer nor a way to abort; both are one attribute away in its
protocol class. Sends of the hub go to the transport as finished frames, made once for all viewers.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

SCOPE_KEY = "framefleet.connection"
SEND_BUFFER_BYTES = 256 * 1024
USER_TIMEOUT_MS = 20_000
LAST_WORDS_SECONDS = 1.0


class Stalled(Exception):
    """The viewer has read nothing for too long."""


class ViewerConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose kernel buffer is bounded and whose socket really goes when we let go of it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # Without it a vanished peer's unread bytes keep the socket for a quarter of an hour.
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # a valid handshake: the application's task starts after this
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions[SCOPE_KEY] = self

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(LAST_WORDS_SECONDS, self.abort)  # its buffer may never drain

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(LAST_WORDS_SECONDS, self.abort)  # the server waits for every connection

    @property
    def is_open(self) -> bool:
        """Whether a frame may be written."""
        return self.conn.state is OPEN and not self.close_sent and not self.transport.is_closing()

    @property
    def paused(self) -> bool:
        """Whether the viewer reads more slowly than we write."""
        return not self.writable.is_set()

    def write(self, frames: bytes) -> None:
        """Write finished frames; never waits. Does nothing once the connection closes."""
        if self.is_open:
            self.transport.write(frames)

    async def drained(self, patience: float) -> None:
        """Wait until the viewer has read what was written. Raises Stalled if nothing moves for `patience` seconds."""
        while self.paused:
            waiting = self.transport.get_write_buffer_size()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.writable.wait()
            if self.paused and self.transport.get_write_buffer_size() >= waiting:
                raise Stalled

    def drop(self, code: int, reason: str) -> None:
        """Say why, if the viewer still listens, and end the connection whatever it does."""
        if self.is_open:
            self.stop_keepalive()
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            # As after a regular close: a viewer that listens answers, and then the socket closes in order.
            self.close_timer = self.loop.call_later(LAST_WORDS_SECONDS, self.abort)
            if self.read_paused:
                self.read_paused = False
                self.transport.resume_reading()
        else:
            self.abort()

    def abort(self) -> None:
        """Reset the connection: what was not read is thrown away, in the kernel as well."""
        if self.disconnected:
            return
        peer: socket.socket | None = self.transport.get_extra_info("socket")
        if peer is not None:
            with contextlib.suppress(OSError):
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
