"""One client of `/ws/results`, from its accepted handshake to its end: what it says, and why it is dropped."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from fastapi import WebSocket

from contract.browser import Painted
from gateway.errors import InvalidMessage, TooManyQueries
from gateway.live.buffers import MAX_UNREAD
from gateway.live.connection import ViewerConnection
from gateway.live.hub import Hub
from gateway.live.paint_ages import PaintAges
from gateway.live.protocol import parse_message, plausible_age, subscribed
from gateway.live.update import Subscription
from gateway.live.viewer import ViewerKind
from gateway.live.writers import Recipient, ViewerWriter
from gateway.metrics import GatewayMetrics
from gateway.security.allowance import Allowance
from gateway.security.holders import Holders
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile
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


@dataclass(frozen=True, slots=True)
class ClientBudgets:
    """What all clients share: `turnstile` the event loop's time, `pictures` how many cameras more than before each may
    want to see in a while (a binding at the broker for each). `paint_ages` takes what dashboards report."""

    turnstile: Turnstile
    pictures: Allowance
    paint_ages: PaintAges
    refusals: Refusals


@dataclass(frozen=True, slots=True)
class Peer:
    """Who a client is: the name of its token, its address, and for whom its share is counted."""

    name: str | None
    address: str
    holders: Holders


class Client:
    """A client that is written to by `writer` over `connection`; it observes the connection (ConnectionObserver)."""

    def __init__(
        self,
        hub: Hub,
        writer: ViewerWriter,
        connection: ViewerConnection,
        metrics: GatewayMetrics,
        budgets: ClientBudgets,
        peer: Peer,
        patience: float,
    ) -> None:
        self._hub = hub
        self._connection = connection
        self._metrics = metrics
        self._budgets = budgets
        self._peer = peer
        self._patience = patience
        self._painted = float("-inf")
        self._wanted: Subscription | None = None  # what it is to get, and when
        self._later: asyncio.TimerHandle | None = None
        recipient = Recipient(connection, on_broken=self.broken, on_overrun=self.overrun)
        self.viewer = writer.add(recipient, peer.holders)
        connection.attend(self, patience)

    async def listen(self, websocket: WebSocket) -> None:
        """Read the client's messages until it is gone. None is read before the one before it was worked on."""
        window, count = time.monotonic(), 0
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
            elif count > MAX_MESSAGES:
                self.drop(TOO_MUCH, "flood", "more than 100 messages in ten seconds")
            else:
                await self._work_on(text, now)

    def forget(self) -> None:
        """Do nothing more that it has asked for: it is gone."""
        if self._later is not None:
            self._later.cancel()

    async def _work_on(self, text: str, received: float) -> None:
        """Do what a message says, when it is the token's turn."""
        try:
            async with self._budgets.turnstile.passage(self._peer.holders):
                request = parse_message(text, tolerant=self.viewer.kind is ViewerKind.DASHBOARD)
                if isinstance(request, Painted):
                    self._note_painted(request, received)
                elif request is not None:
                    self._wanted = subscribed(self._wanted or self.viewer.subscription, request)
                    if self._later is None:
                        self._subscribe()
        except InvalidMessage as error:
            self.drop(NOT_UNDERSTOOD, "malformed", str(error))
        except TooManyQueries:
            self._budgets.refusals.note("busy", self._peer.holders)
            self.drop(TOO_MUCH, "flood", "this token asks for more than its share: ask less often")

    def _subscribe(self) -> None:
        """Give it what it wants now; or later, if it has begun to watch many other cameras lately."""
        self._later = None
        wanted, now = self._wanted, time.monotonic()
        if wanted is None:
            return
        more = len(wanted.pictures - self.viewer.subscription.pictures)
        wait = self._budgets.pictures.book(self._peer.holders, more, now) if more else 0.0
        if wait:
            self._budgets.refusals.note("subscriptions", self._peer.holders)
            self._later = asyncio.get_running_loop().call_later(wait, self._subscribe)
            return
        self._wanted = None
        self._hub.subscribe(self.viewer, wanted, now)

    def _note_painted(self, report: Painted, received: float) -> None:
        """Take a report on a picture that was shown: it was painted between its arrival here and that of the report."""
        if received - self._painted < PAINT_SECONDS or not plausible_age(report.age):
            return
        shown = self._hub.shown(self.viewer, report.frame_id)
        if shown is None:
            return
        self._painted = received
        arrival, captured = shown
        latest = max(0.0, time.time() - (time.monotonic() - received) - captured)
        earliest = max(0.0, latest - (received - arrival))
        age = min(max(report.age, earliest), latest)
        self._budgets.paint_ages.add(self._peer.holders, age, received)

    def drop(self, code: int, reason: str, sentence: str) -> None:
        """End the connection with a close code and a sentence; `reason` is the word for log and metric."""
        self._hub.leave(self.viewer)
        self._metrics.drops.labels(reason).inc()
        log.info(
            "client dropped",
            reason=reason,
            code=code,
            why=sentence,
            name=self._peer.name,
            address=self._peer.address,
        )
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
