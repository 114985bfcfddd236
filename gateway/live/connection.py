"""The server's end of a viewer's WebSocket: uvicorn's own, plus what a stalled viewer needs to be got rid of.

uvicorn offers neither the state of the write buffer nor a way to abort; both are one attribute away in its
protocol class. Sends of the hub go to the transport as finished frames, made once for all viewers.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Any, Protocol, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

SCOPE_KEY = "framefleet.connection"
SEND_BUFFER_BYTES = 256 * 1024
USER_TIMEOUT_MS = 20_000
LAST_WORDS_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
MAX_FRAGMENTS = 1_000
MAX_CONTROLS = 100
CONTROL_SECONDS = 10.0
MAX_REASON_BYTES = 123
"""Of a close frame (RFC 6455 §5.5)."""
NOT_UTF8, TOO_MUCH = 1007, 1008
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class ConnectionObserver(Protocol):
    """Whoever a connection tells what becomes of it."""

    def has_room(self) -> None:
        """The connection is no longer congested."""

    def stalled(self) -> None:
        """The viewer has read nothing for as long as was agreed."""

    def misused(self, code: int, reason: str, sentence: str) -> None:
        """The viewer has sent what uvicorn would take without bound or with a traceback: a close code, a word and a
        sentence."""


class ViewerConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose kernel buffer is bounded and whose socket really goes when we let go of it.

    While it is `congested` nothing should be written: its viewer reads more slowly than we write. uvicorn makes the
    objects, so whoever serves the viewer introduces itself by `attend`.
    """

    congested = False
    _observer: ConnectionObserver | None = None
    _patience = PATIENCE_SECONDS
    _judging: asyncio.TimerHandle | None = None
    _controls = 0
    _controls_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # Without it a vanished peer's unread bytes keep the socket for a quarter of an hour.
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)

    def attend(self, observer: ConnectionObserver, patience: float) -> None:
        """Tell `observer` from now on; a viewer that reads nothing for `patience` seconds is stalled."""
        self._observer, self._patience = observer, patience

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # a valid handshake: the application's task starts after this
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions[SCOPE_KEY] = self

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            # A refusal is a complete answer; uvicorn would log an error for each: anybody could fill the log.
            self.handshake_complete = True

    # --- what a client may send --------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated and not self.close_sent:
            # HTTP took the request, the WebSocket library did not (too many headers): uvicorn would forget it here,
            # and stumble over it at the end.
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
            self.handshake_complete = self.close_sent = True
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self._misused(NOT_UTF8, "malformed", "a text that is not UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        # Empty fragments cost the sender nothing, and no limit of bytes ends them.
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        else:
            self.frames = [b""] * MAX_FRAGMENTS
            self._misused(TOO_MUCH, "flood", f"a message in more than {MAX_FRAGMENTS} fragments")

    def handle_ping(self) -> None:
        self._count_control()
        answer = b"".join(self.conn.data_to_send())
        if not self.congested and not self.transport.is_closing():
            self.transport.write(answer)  # else it is left out: who does not read must not fill our memory

    def handle_pong(self, event: Frame) -> None:
        self._count_control()
        super().handle_pong(event)

    def _count_control(self) -> None:
        now = self.loop.time()
        if now - self._controls_since > CONTROL_SECONDS:
            self._controls, self._controls_since = 0, now
        self._controls += 1
        if self._controls > MAX_CONTROLS:
            self._misused(TOO_MUCH, "flood", f"more than {MAX_CONTROLS} pings or pongs in ten seconds")

    def _misused(self, code: int, reason: str, sentence: str) -> None:
        if not self.is_open:
            return  # it was said already
        if self._observer is None:
            self.drop(code, sentence)
        else:
            self._observer.misused(code, reason, sentence)

    # --- how it ends -------------------------------------------------------------------------------------

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

    def write(self, frames: bytes) -> None:
        """Write finished frames; never waits. Does nothing once the connection closes."""
        if self.is_open:
            self.transport.write(frames)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.congested = True
        self._judge_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.congested = False
        self._stop_judging()
        if self._observer is not None:
            self._observer.has_room()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_judging()

    def _judge_later(self) -> None:
        self._judging = self.loop.call_later(
            self._patience, self._judge, self.transport.get_write_buffer_size()
        )

    def _judge(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() >= waiting:
            self._judging = None
            if self._observer is not None:
                self._observer.stalled()
        else:  # it is slow, but it reads
            self._judge_later()

    def _stop_judging(self) -> None:
        if self._judging is not None:
            self._judging.cancel()
            self._judging = None

    def drop(self, code: int, reason: str) -> None:
        """Say why, if the viewer still listens, and end the connection whatever it does."""
        if self.is_open:
            self.stop_keepalive()
            self.conn.send_close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))
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
