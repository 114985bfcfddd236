"""`/ws/results`: the handshake and the end; what clients get comes from the hub by the writers."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, WebSocket
from starlette.responses import Response
from starlette.types import Scope

from contract.browser import DASHBOARD_PROTOCOL
from contract.failures import STALENESS_SECONDS
from gateway.addresses import is_loopback
from gateway.errors import InvalidMessage
from gateway.http.problems import problem
from gateway.live.client import LAGGARD, Client, ClientBudgets, Peer
from gateway.live.connection import PATIENCE_SECONDS, SCOPE_KEY, ViewerConnection
from gateway.live.hub import Hub
from gateway.live.protocol import ViewerProtocol, protocol_for
from gateway.live.query import parse_query
from gateway.live.seats import Refused, ViewerSeat, ViewerSeats
from gateway.live.update import Subscription
from gateway.live.viewer import Viewer, ViewerKind
from gateway.live.writers import Writers
from gateway.metrics import GatewayMetrics
from gateway.security.access import address_of, identity_of, refuse_websocket
from gateway.security.auth import Identity
from gateway.security.holders import levels
from runtime.version import VERSION

SESSION_ENDED = 4401
MISSED = (
    "results of a time without the broker went to other gateways: connect again, and ask the history for them"
)
TAKEN = "there is no room for all clients, and this token has the most of them: another one's got its place"
NO_SEAT: dict[Refused, tuple[int, str, str]] = {
    "token": (
        429,
        "too_many_requests",
        "this token has as many WebSocket clients as one may have (GATEWAY_MAX_VIEWERS_PER_TOKEN)",
    ),
    "address": (
        429,
        "too_many_requests",
        "as many WebSocket clients as may come from this address do (GATEWAY_MAX_VIEWERS_PER_ADDRESS)",
    ),
    "full": (503, "unavailable", "as many clients are connected as may be (GATEWAY_MAX_VIEWERS)"),
}
"""What a client without a seat is told."""
NO_UPGRADE = (
    "this is a WebSocket, and the request came without Upgrade: connect with ws:// or wss://; a proxy between must use "
    "HTTP/1.1 and pass the headers Upgrade and Connection on (docs/security.md)"
)


class ResultsSocket:
    """Serves the WebSocket clients. `greet` offers a new dashboard the states of cameras and nodes."""

    def __init__(
        self,
        hub: Hub,
        writers: Writers,
        metrics: GatewayMetrics,
        greet: Callable[[Viewer], None],
        seats: ViewerSeats,
        budgets: ClientBudgets,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._hub = hub
        self._writers = writers
        self._metrics = metrics
        self._greet = greet
        self._seats = seats
        self._budgets = budgets
        self._patience = patience
        self._every_result: dict[Client, None] = {}
        self._holders: defaultdict[str, set[ViewerConnection]] = defaultdict(set)

    async def serve(self, websocket: WebSocket) -> None:
        """The route: one client, from the handshake to the end."""
        try:
            subscription, plain = parse_query(websocket.query_params)
        except InvalidMessage as error:
            await refuse_websocket(problem(400, "bad_data", str(error)), websocket.receive, websocket.send)
            return
        identity = identity_of(websocket.scope)
        wait = self._budgets.pictures.book(identity.holders, len(subscription.pictures), time.monotonic())
        if wait:
            self._budgets.refusals.note("subscriptions", identity.holders)
            words = "this token has asked for pictures of many other cameras just now: wait"
            refusal = problem(429, "too_many_requests", words, {"Retry-After": str(math.ceil(wait))})
            await refuse_websocket(refusal, websocket.receive, websocket.send)
            return
        connection: ViewerConnection = websocket.scope["extensions"][SCOPE_KEY]
        with self._seated(websocket.scope, connection, identity) as refused:
            if refused is not None:
                self._budgets.refusals.note("sockets", identity.holders)
                status, kind, words = NO_SEAT[refused]
                refusal = problem(status, kind, words, {"Retry-After": "5"})
                await refuse_websocket(refusal, websocket.receive, websocket.send)
                return
            protocol = protocol_for(websocket.scope["subprotocols"], plain)
            await websocket.accept(DASHBOARD_PROTOCOL if protocol.kind is ViewerKind.DASHBOARD else None)
            with self._ending_with(identity, connection):
                peer = Peer(identity.name, address_of(websocket.scope), identity.holders)
                await self._converse(websocket, connection, protocol, subscription, peer)

    def end(self, holder: str, why: str) -> None:
        """Close what is open under a session or a token that has ended (`Identity.holders`)."""
        for connection in list(self._holders.get(holder, ())):
            connection.drop(SESSION_ENDED, why)

    def missed(self) -> None:
        """Results are missing that can no longer be had here: who is to get every one is told, and begins anew."""
        for client in list(self._every_result):
            client.drop(LAGGARD, "missed", MISSED)

    async def _converse(
        self,
        websocket: WebSocket,
        connection: ViewerConnection,
        protocol: ViewerProtocol,
        subscription: Subscription,
        peer: Peer,
    ) -> None:
        writer = self._writers[protocol.kind]
        client = Client(self._hub, writer, connection, self._metrics, self._budgets, peer, self._patience)
        viewer = client.viewer
        if viewer.kind.every:
            self._every_result[client] = None
        connection.write(protocol.greeting(time.time(), VERSION, STALENESS_SECONDS))
        self._hub.join(viewer, subscription, time.monotonic())
        if viewer.kind is ViewerKind.DASHBOARD:
            self._greet(viewer)
        self._metrics.clients.inc()
        try:
            await client.listen(websocket)
        finally:
            client.forget()
            self._hub.leave(viewer)
            writer.remove(viewer)
            self._every_result.pop(client, None)
            self._metrics.clients.dec()

    @contextmanager
    def _seated(
        self, scope: Scope, connection: ViewerConnection, identity: Identity
    ) -> Iterator[Refused | None]:
        """Have a seat for the length of the block, or give the reason why not."""

        def end() -> None:
            self._metrics.drops.labels("share").inc()
            self._budgets.refusals.note("sockets", identity.holders)
            connection.drop(LAGGARD, TAKEN)

        address = address_of(scope)
        seat = ViewerSeat(*levels(identity.holders), "" if is_loopback(address) else address, end)
        refused = self._seats.take(seat)
        try:
            yield refused
        finally:
            self._seats.leave(seat)

    @contextmanager
    def _ending_with(self, identity: Identity, connection: ViewerConnection) -> Iterator[None]:
        """While in the block, the connection ends with the session or the token that opened it."""
        for holder in identity.holders:
            self._holders[holder].add(connection)
        timer = None if identity.expires is None else self._end_at(connection, identity.expires)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            for holder in identity.holders:
                self._holders[holder].discard(connection)
                if not self._holders[holder]:
                    del self._holders[holder]

    def _end_at(self, connection: ViewerConnection, expires: float) -> asyncio.TimerHandle:
        left = max(0.0, expires - time.time())
        return asyncio.get_running_loop().call_later(left, connection.drop, SESSION_ENDED, "it has expired")


def results_router(socket: ResultsSocket) -> APIRouter:
    """The WebSocket's route, and what is answered to whoever comes there without an upgrade."""
    router = APIRouter()
    router.add_api_websocket_route("/ws/results", socket.serve)

    @router.get("/ws/results", include_in_schema=False)
    async def without_upgrade() -> Response:
        """Say what a WebSocket needs that lost its Upgrade on the way."""
        return problem(426, "upgrade_required", NO_UPGRADE, {"Upgrade": "websocket"})

    return router
