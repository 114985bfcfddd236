"""The server's end of an HTTP connection: uvicorn's own, plus what keeps slow and greedy clients from holding it.

uvicorn only ends connections that are idle between two requests; its `limit_concurrency` answers 503 to everybody,
probes too, and so hands the gateway to whoever opens enough connections. Here a request must be complete in time, an
answer must be read, nobody holds more than their share, and idle connections make room for new ones.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.live.connection import ViewerConnection
from gateway.metrics import GatewayMetrics
from gateway.security.crowd import Crowd

REQUEST_SECONDS = 10.0
PATIENCE = "framefleet.patience"
"""In a request's scope: a function to be called by whoever takes an upload."""
LAST_WORDS_SECONDS = 1.0
MAX_LAST_WORDS = 100
"""How many refused connections are told why at once; more are just reset."""
MAX_HEAD_BYTES = 32 * 1024

REFUSAL = (
    b"HTTP/1.1 %d %s\r\nConnection: close\r\nRetry-After: 5\r\nCache-Control: no-store\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)
BODY = b'{"status":"error","errorType":"%s","error":"%s"}'
REFUSALS = {
    "address": (429, b"Too Many Requests", b"too_many_requests", b"too many connections from this address"),
    "connections": (503, b"Service Unavailable", b"unavailable", b"too many connections: try again"),
}


@dataclass(frozen=True)
class RequestLimits:
    """What the connections of one gateway share."""

    crowd: Crowd
    metrics: GatewayMetrics
    request_seconds: float
    """From a request's first byte (of a new connection: from its opening) to the end of its body."""
    unread_seconds: float
    """So long nothing of an answer is read."""


class BoundedConnection(H11Protocol):
    """An HTTP connection within `limits`; `http_class` makes the class with them."""

    limits: RequestLimits
    refused_now = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._admitted = False
        self._request_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._unread = 0
        self._patient = False

    # --- a connection's life -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            # A vanished peer, or one that reads nothing, keeps its socket no longer than this, whatever is unsent.
            peer.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.limits.unread_seconds * 1000)
            )
        why = self.limits.crowd.admit(transport, self.client[0] if self.client else "")
        if why is None:
            self._admitted = True
            self._watch_request()
        else:
            self._refuse(why)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        if self._admitted:
            self.limits.crowd.leave(self.transport)
        else:
            type(self).refused_now -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            if self._patient:  # what goes on has its time from here
                self._cancel_request_timer()
            super().data_received(data)
            scope: Any = getattr(self, "scope", None)
            if scope is not None:
                scope.setdefault(PATIENCE, self._be_patient)
            self._watch_request()

    def on_response_complete(self) -> None:
        self._patient = False
        super().on_response_complete()
        self._watch_request()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._cancel_timers()
        self.limits.crowd.busy(self.transport)
        super().handle_websocket_upgrade(event)  # from here on CountedViewer has the transport

    def send_400_response(self, msg: str) -> None:
        self.limits.metrics.refused.labels("malformed").inc()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()  # in the middle of an answer there is no place for another one

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)  # its buffer may never drain

    def shutdown(self) -> None:
        if self._admitted:
            super().shutdown()
        else:
            self.transport.abort()

    # --- requests that do not end ------------------------------------------------------------------------

    def _watch_request(self) -> None:
        """Start the clock of an unfinished request, stop it when the request is complete."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._cancel_timers()
            return
        state = self.conn.their_state
        begun = state is h11.SEND_BODY or bool(self.conn.trailing_data[0])
        fresh = self.cycle is None
        if state in (h11.IDLE, h11.SEND_BODY) and (begun or fresh):
            if self._request_timer is None:
                self._request_timer = self.loop.call_later(self.limits.request_seconds, self._too_slow)
        elif self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None
        if state is h11.IDLE:
            self.limits.crowd.idle(self.transport, self.transport.abort)
        else:
            self.limits.crowd.busy(self.transport)

    def _be_patient(self) -> None:
        """Let the body of this request, which is an upload of somebody who may, take as long as it goes on."""
        self._patient = True

    def _cancel_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _too_slow(self) -> None:
        self.limits.metrics.refused.labels("slow").inc()
        self.transport.abort()

    # --- answers that nobody reads -----------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unread()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _watch_unread(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._unread_timer = self.loop.call_later(self.limits.unread_seconds, self._unread_still)

    def _unread_still(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread:
            self._watch_unread()
            return
        self.limits.metrics.refused.labels("unread").inc()
        self.transport.abort()

    # --- inside ------------------------------------------------------------------------------------------

    def _refuse(self, why: str) -> None:
        self.limits.metrics.refused.labels("share" if why == "address" else "connections").inc()
        type(self).refused_now += 1
        if type(self).refused_now > MAX_LAST_WORDS:
            self.transport.abort()
            return
        status, phrase, kind, sentence = REFUSALS[why]
        body = BODY % (kind, sentence)
        self.transport.write(REFUSAL % (status, phrase, len(body), body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Closing at once, with its request unread, would reset the connection and lose these words.
        self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)

    def _cancel_timers(self) -> None:
        for timer in (self._request_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        self._request_timer = self._unread_timer = None


class CountedViewer(ViewerConnection):
    """A WebSocket that leaves the crowd when it ends: it took its place over from its HTTP connection."""

    crowd: Crowd

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.crowd.leave(self.transport)


def http_class(limits: RequestLimits) -> type[BoundedConnection]:
    """The class of HTTP connections within these limits: uvicorn makes the objects, and passes nothing of ours."""
    return type("Connection", (BoundedConnection,), {"limits": limits})


def websocket_class(shared: Crowd) -> type[CountedViewer]:
    """The class of WebSockets that are counted in this crowd."""
    return type("Viewer", (CountedViewer,), {"crowd": shared})
