"""One client of `/ws/results`, from its accepted handshake to its end: what it says, and why it is dropped."""

import time
from typing import Final

from fastapi import WebSocket

from contract.browser import Painted
from gateway.errors import InvalidMessage
from gateway.live.buffers import MAX_UNREAD
from gateway.live.connection import ViewerConnection
from gateway.live.hub import Hub
from gateway.live.protocol import parse_message, plausible_age, subscribed
from gateway.live.writers import Recipient, ViewerWriter
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")

MAX_MESSAGES = 100
"""Messages of one client in ten seconds."""
MESSAGE_SECONDS = 10.0
PAINT_SECONDS = 0.5

WRONG_TYPE: Final = 1003
NOT_UNDERSTOOD: Final = 1007
TOO_MUCH: Final = 1008
BROKEN: Final = 1011
LAGGARD: Final = 1013
OVERRUN = (
    f"more than {MAX_UNREAD:,} results wait here unread: read faster, name cameras, or take only ?latest=1"
)


class Client:
    """A client that is written to by `writer` over `connection`; it observes the connection (ConnectionObserver)."""

    def __init__(
        self,
        hub: Hub,
        writer: ViewerWriter,
        connection: ViewerConnection,
        metrics: GatewayMetrics,
        patience: float,
    ) -> None:
        self._hub = hub
        self._connection = connection
        self._metrics = metrics
        self._patience = patience
        self.viewer = writer.add(Recipient(connection, on_broken=self.broken, on_overrun=self.overrun))
        connection.attend(self, patience)

    async def listen(self, websocket: WebSocket) -> None:
        """Read the client's messages until it is gone."""
        window, count, painted = time.monotonic(), 0, 0.0
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            now = time.monotonic()
            if now - window > MESSAGE_SECONDS:
                window, count = now, 0
            count += 1
            text = message.get("text")
            if text is None:
                self.drop(WRONG_TYPE, "binary", "messages to the gateway are JSON texts")
                continue
            if count > MAX_MESSAGES:
                self.drop(TOO_MUCH, "flood", "more than 100 messages in ten seconds")
                continue
            try:
                request = parse_message(text)
            except InvalidMessage as error:
                self._metrics.invalid.labels("client").inc()
                self.drop(NOT_UNDERSTOOD, "malformed", str(error))
                continue
            if isinstance(request, Painted):
                if now - painted >= PAINT_SECONDS and plausible_age(request.age):
                    painted = now
                    self._metrics.paint_age.observe(request.age)
            elif request is not None:
                self._hub.subscribe(self.viewer, subscribed(self.viewer.subscription, request), now)

    def drop(self, code: int, reason: str, sentence: str) -> None:
        """End the connection with a close code and a sentence; `reason` is the word for log and metric."""
        self._hub.leave(self.viewer)
        self._metrics.drops.labels(reason).inc()
        log.info("client dropped", reason=reason, code=code)
        self._connection.drop(code, sentence)

    # --- what the connection and the writer tell -----------------------------------------------------------

    def has_room(self) -> None:
        self.viewer.wake()

    def stalled(self) -> None:
        self.drop(LAGGARD, "laggard", f"nothing was read for {self._patience:g} s")

    def misused(self, code: int, reason: str, sentence: str) -> None:
        self.drop(code, reason, sentence)

    def overrun(self) -> None:
        """More results wait than may, and none may be missed."""
        self.drop(LAGGARD, "overrun", OVERRUN)

    def broken(self) -> None:
        """No message could be made: our own mistake."""
        self.drop(BROKEN, "error", "internal error")
