"""`/ws/results`: the handshake, what clients say, and the end; what they get comes from the hub by the writers."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
from fastapi import WebSocket

from contract.browser import (
    DASHBOARD_PROTOCOL,
    MAX_CAMERAS,
    MAX_GROUPS,
    MAX_NAME,
    MAX_NODES,
    MAX_PICTURES,
    Painted,
)
from contract.failures import STALENESS_SECONDS
from contract.task import CameraId
from gateway.http.problems import problem
from gateway.live.buffers import MAX_UNREAD
from gateway.live.connection import PATIENCE_SECONDS, SCOPE_KEY, ViewerConnection
from gateway.live.hub import Hub
from gateway.live.protocol import (
    FRAMES,
    LATEST,
    PLAIN,
    InvalidMessage,
    ViewerProtocol,
    parse_message,
    plausible_age,
    protocol_for,
    subscribed,
)
from gateway.live.sending import writers
from gateway.live.viewer import Kind, Subscription, Viewer
from gateway.metrics import GatewayMetrics
from gateway.security.access import identity_of, refuse_websocket
from gateway.security.auth import Identity
from gateway.settings import split
from runtime.logs import get_logger
from runtime.version import VERSION

log = get_logger("gateway")

MAX_MESSAGES = 100  # of one client in ten seconds
MESSAGE_SECONDS = 10.0
PAINT_SECONDS = 0.5

WRONG_TYPE = 1003
NOT_UNDERSTOOD = 1007
TOO_MUCH = 1008
BROKEN = 1011
LAGGARD = 1013
OVERRUN = (
    f"more than {MAX_UNREAD:,} results wait here unread: read faster, name cameras, or take only ?latest=1"
)
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
        self._writers = writers(hub, self._broken, self._overrun)
        self._holders: defaultdict[str, set[ViewerConnection]] = defaultdict(set)

    async def serve(self, websocket: WebSocket) -> None:
        """The route: one client, from the handshake to the end."""
        try:
            subscription, plain = parse_query(websocket.query_params)
        except InvalidMessage as error:
            await refuse_websocket(problem(400, "bad_data", str(error)), websocket.receive, websocket.send)
            return
        if self._hub.viewers >= self._limit:
            refusal = problem(503, "unavailable", f"{self._limit} clients are connected, which is the limit")
            await refuse_websocket(refusal, websocket.receive, websocket.send)
            return
        protocol = protocol_for(websocket.scope["subprotocols"], plain)
        await websocket.accept(DASHBOARD_PROTOCOL if protocol.kind is Kind.DASHBOARD else None)
        connection: ViewerConnection = websocket.scope["extensions"][SCOPE_KEY]
        await self._converse(websocket, connection, protocol, subscription, identity_of(websocket.scope))

    def end(self, holder: str, why: str) -> None:
        """Close what is open under a session or a token that has ended (`Identity.holders`)."""
        for connection in list(self._holders.get(holder, ())):
            connection.drop(SESSION_ENDED, why)

    def missed(self) -> None:
        """Results are missing that can no longer be had here: who is to get every one is told, and begins anew."""
        for viewer, connection in self._writers[Kind.PLAIN].connections:
            self._drop(viewer, connection, LAGGARD, "missed", MISSED)

    async def _converse(
        self,
        websocket: WebSocket,
        connection: ViewerConnection,
        protocol: ViewerProtocol,
        subscription: Subscription,
        identity: Identity,
    ) -> None:
        writer = self._writers[protocol.kind]
        viewer = writer.add(connection)
        connection.patience = self._patience
        connection.on_stall = lambda: self._stalled(viewer, connection)
        connection.on_misuse = lambda *why: self._drop(viewer, connection, *why)
        connection.write(protocol.greeting(time.time(), VERSION, STALENESS_SECONDS))
        self._hub.join(viewer, subscription, time.monotonic())
        if protocol.kind is Kind.DASHBOARD:
            self._greet(viewer)
        self._metrics.clients.inc()
        expiry = self._watch_session(connection, identity)
        try:
            await self._receive(viewer, websocket, connection)
        finally:
            self._hub.leave(viewer)
            writer.remove(viewer)
            self._metrics.clients.dec()
            expiry()

    def _stalled(self, viewer: Viewer, connection: ViewerConnection) -> None:
        self._drop(viewer, connection, LAGGARD, "laggard", f"nothing was read for {self._patience:g} s")

    def _overrun(self, viewer: Viewer, connection: ViewerConnection) -> None:
        self._drop(viewer, connection, LAGGARD, "overrun", OVERRUN)

    def _broken(self, viewer: Viewer, connection: ViewerConnection) -> None:
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
                self._drop(viewer, connection, NOT_UNDERSTOOD, "malformed", str(error))
                continue
            if isinstance(request, Painted):
                if now - painted >= PAINT_SECONDS and plausible_age(request.age):
                    painted = now
                    self._metrics.paint_age.observe(request.age)
            elif request is not None:
                self._hub.subscribe(viewer, subscribed(viewer.subscription, request), now)

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


MISSED = (
    "results of a time without the broker went to other gateways: connect again, and ask the history for them"
)
PARAMETERS = ("cameras", "groups", "nodes", "detections", "latest", "frames")


def parse_query(query: Mapping[str, str]) -> tuple[Subscription, ViewerProtocol]:
    """The subscription in a query string, and how a plain client is served. Raises InvalidMessage."""
    if unknown := sorted(set(query) - set(PARAMETERS)):
        raise InvalidMessage(f"there is no parameter {unknown[0][:50]!r}: use {', '.join(PARAMETERS)}")
    cameras = _names(query, "cameras", MAX_CAMERAS)
    try:
        msgspec.convert(list(cameras or ()), list[CameraId])
    except msgspec.ValidationError:
        raise InvalidMessage("cameras is a comma-separated list of names made of A-Z a-z 0-9 _ -") from None
    wanted = Subscription(
        cameras,
        groups=_names(query, "groups", MAX_GROUPS),
        nodes=_names(query, "nodes", MAX_NODES),
        detections=_flag(query, "detections"),
    )
    latest = _flag(query, "latest")
    if not _flag(query, "frames"):
        return wanted, LATEST if latest else PLAIN
    if not cameras:
        raise InvalidMessage("frames=1 needs the cameras by name: /ws/results?frames=1&cameras=a,b")
    if len(cameras) > MAX_PICTURES:
        raise InvalidMessage(f"pictures of at most {MAX_PICTURES} cameras at once")
    return replace(wanted, pictures=cameras), FRAMES


def _names(query: Mapping[str, str], name: str, most: int) -> frozenset[str] | None:
    value = query.get(name)
    if value is None:
        return None
    names = frozenset(split(value))
    if len(names) > most:
        raise InvalidMessage(f"{name} names {len(names)}, and {most} is the most: leave it out for all")
    if any(len(each) > MAX_NAME for each in names):
        raise InvalidMessage(f"{name} is a comma-separated list of names of at most {MAX_NAME} characters")
    return names


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "0")
    if value not in ("0", "1"):
        raise InvalidMessage(f"{name} is 0 or 1")
    return value == "1"
