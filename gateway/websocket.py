"""`/ws/results`: one receiver and one sender per client, and the hub between them and everything else."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec
from fastapi import WebSocket

from contract.failures import STALENESS_SECONDS
from contract.task import CameraId
from gateway.access import identity_of, refuse_websocket
from gateway.auth import Identity
from gateway.connection import SCOPE_KEY, Stalled, ViewerConnection
from gateway.hub import Hub
from gateway.metrics import GatewayMetrics
from gateway.problems import problem
from gateway.protocol import (
    DASHBOARD_PROTOCOL,
    MAX_PICTURES,
    InvalidMessage,
    Painted,
    ViewerProtocol,
    parse_message,
    plausible_age,
    protocol_for,
)
from gateway.settings import split
from gateway.viewer import Kind, Subscription, Viewer
from runtime.logs import get_logger
from runtime.version import VERSION

log = get_logger("gateway")

PATIENCE_SECONDS = 10.0
MAX_MESSAGES = 100  # of one client in ten seconds
MESSAGE_SECONDS = 10.0
PAINT_SECONDS = 0.5

WRONG_TYPE = 1003
NOT_UNDERSTOOD = 1007
TOO_MUCH = 1008
BROKEN = 1011
LAGGARD = 1013
SESSION_ENDED = 4401


class ResultsSocket:
    """Serves the WebSocket clients. `greet` offers a new dashboard the states of cameras and nodes."""

    def __init__(
        self,
        hub: Hub,
        metrics: GatewayMetrics,
        greet: Callable[[Viewer], None],
        *,
        limit: int,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._hub = hub
        self._metrics = metrics
        self._greet = greet
        self._limit = limit
        self._patience = patience
        self._holders: defaultdict[str, set[ViewerConnection]] = defaultdict(set)

    async def serve(self, websocket: WebSocket) -> None:
        """The route: one client, from the handshake to the end."""
        try:
            subscription, frames = parse_query(websocket.query_params)
        except InvalidMessage as error:
            await refuse_websocket(problem(400, "bad_data", str(error)), websocket.receive, websocket.send)
            return
        if self._hub.viewers >= self._limit:
            refusal = problem(503, "unavailable", f"{self._limit} clients are connected, which is the limit")
            await refuse_websocket(refusal, websocket.receive, websocket.send)
            return
        protocol = protocol_for(websocket.scope["subprotocols"], frames)
        await websocket.accept(DASHBOARD_PROTOCOL if protocol.kind is Kind.DASHBOARD else None)
        connection: ViewerConnection = websocket.scope["extensions"][SCOPE_KEY]
        await self._converse(websocket, connection, protocol, subscription, identity_of(websocket.scope))

    def end(self, holder: str, why: str) -> None:
        """Close what is open under a session or a token that has ended (`Identity.holders`)."""
        for connection in list(self._holders.get(holder, ())):
            connection.drop(SESSION_ENDED, why)

    async def _converse(
        self,
        websocket: WebSocket,
        connection: ViewerConnection,
        protocol: ViewerProtocol,
        subscription: Subscription,
        identity: Identity,
    ) -> None:
        wake = asyncio.Event()
        viewer = Viewer(protocol.kind, wake.set)
        connection.write(protocol.greeting(time.time(), VERSION, STALENESS_SECONDS))
        self._hub.join(viewer, subscription, time.monotonic())
        if protocol.kind is Kind.DASHBOARD:
            self._greet(viewer)
        self._metrics.clients.inc()
        expiry = self._watch_session(connection, identity)
        sender = asyncio.create_task(self._send(viewer, wake, connection, protocol))
        try:
            await self._receive(viewer, websocket, connection)
        finally:
            sender.cancel()
            self._hub.leave(viewer)
            self._metrics.clients.dec()
            expiry()

    async def _send(
        self, viewer: Viewer, wake: asyncio.Event, connection: ViewerConnection, protocol: ViewerProtocol
    ) -> None:
        """Write whatever waits, as fast as the client reads it and no faster."""
        try:
            while True:
                await wake.wait()
                wake.clear()
                while frames := protocol.next(viewer):
                    connection.write(frames)
                    if connection.paused:
                        await connection.drained(self._patience)
                if protocol.pause:
                    await asyncio.sleep(protocol.pause)
        except Stalled:
            self._drop(viewer, connection, LAGGARD, "laggard", f"nothing was read for {self._patience:g} s")
        except Exception:
            log.exception("a sender failed")
            self._drop(viewer, connection, BROKEN, "error", "internal error")

    async def _receive(self, viewer: Viewer, websocket: WebSocket, connection: ViewerConnection) -> None:
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
                self._drop(viewer, connection, WRONG_TYPE, "binary", "messages to the gateway are JSON texts")
                continue
            if count > MAX_MESSAGES:
                self._drop(viewer, connection, TOO_MUCH, "flood", "more than 100 messages in ten seconds")
                continue
            try:
                request = parse_message(text)
            except InvalidMessage as error:
                self._metrics.invalid.labels("client").inc()
                self._drop(viewer, connection, NOT_UNDERSTOOD, "malformed", str(error)[:100])
                continue
            if isinstance(request, Painted):
                if now - painted >= PAINT_SECONDS and plausible_age(request.age):
                    painted = now
                    self._metrics.paint_age.observe(request.age)
            elif request is not None:
                self._hub.subscribe(viewer, request.apply(viewer.subscription), now)

    def _drop(
        self, viewer: Viewer, connection: ViewerConnection, code: int, reason: str, sentence: str
    ) -> None:
        self._hub.leave(viewer)
        self._metrics.drops.labels(reason).inc()
        log.info("client dropped", reason=reason, code=code)
        connection.drop(code, sentence)

    def _watch_session(self, connection: ViewerConnection, identity: Identity) -> Callable[[], None]:
        """End the connection with its session or its token; returns what ends the watching."""
        for holder in identity.holders:
            self._holders[holder].add(connection)
        timers = [] if identity.expires is None else [self._end_at(connection, identity.expires)]

        def forget() -> None:
            for timer in timers:
                timer.cancel()
            for holder in identity.holders:
                self._holders[holder].discard(connection)
                if not self._holders[holder]:
                    del self._holders[holder]

        return forget

    def _end_at(self, connection: ViewerConnection, expires: float) -> asyncio.TimerHandle:
        left = max(0.0, expires - time.time())
        return asyncio.get_running_loop().call_later(left, connection.drop, SESSION_ENDED, "it has expired")


def parse_query(query: Mapping[str, str]) -> tuple[Subscription, bool]:
    """The subscription in a query string, and whether pictures come inside the results. Raises InvalidMessage."""
    named = query.get("cameras")
    frames = query.get("frames", "0")
    if frames not in ("0", "1"):
        raise InvalidMessage("frames is 0 or 1")
    cameras = None if named is None else frozenset(split(named))
    try:
        msgspec.convert(list(cameras or ()), list[CameraId])
    except msgspec.ValidationError:
        raise InvalidMessage("cameras is a comma-separated list of names made of A-Z a-z 0-9 _ -") from None
    if frames == "0":
        return Subscription(cameras), False
    if not cameras:
        raise InvalidMessage("frames=1 needs the cameras by name: /ws/results?frames=1&cameras=a,b")
    if len(cameras) > MAX_PICTURES:
        raise InvalidMessage(f"pictures of at most {MAX_PICTURES} cameras at once")
    return Subscription(cameras, cameras), True
