"""`/ws/results`: the handshake and the end; what clients get comes from the hub by the writers."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, WebSocket
from starlette.responses import Response

from contract.browser import DASHBOARD_PROTOCOL
from contract.failures import STALENESS_SECONDS
from gateway.errors import InvalidMessage
from gateway.http.problems import problem
from gateway.live.client import LAGGARD, Client
from gateway.live.connection import PATIENCE_SECONDS, SCOPE_KEY, ViewerConnection
from gateway.live.hub import Hub
from gateway.live.protocol import ViewerProtocol, protocol_for
from gateway.live.query import parse_query
from gateway.live.update import Subscription
from gateway.live.viewer import Viewer, ViewerKind
from gateway.live.writers import Writers
from gateway.metrics import GatewayMetrics
from gateway.security.access import identity_of, refuse_websocket
from gateway.security.auth import Identity
from runtime.version import VERSION

SESSION_ENDED = 4401
MISSED = (
    "results of a time without the broker went to other gateways: connect again, and ask the history for them"
)
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
        *,
        limit: int,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._hub = hub
        self._writers = writers
        self._metrics = metrics
        self._greet = greet
        self._limit = limit
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
        if self._hub.viewers >= self._limit:
            refusal = problem(503, "unavailable", f"{self._limit} clients are connected, which is the limit")
            await refuse_websocket(refusal, websocket.receive, websocket.send)
            return
        protocol = protocol_for(websocket.scope["subprotocols"], plain)
        await websocket.accept(DASHBOARD_PROTOCOL if protocol.kind is ViewerKind.DASHBOARD else None)
        connection: ViewerConnection = websocket.scope["extensions"][SCOPE_KEY]
        with self._ending_with(identity_of(websocket.scope), connection):
            await self._converse(websocket, connection, protocol, subscription)

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
    ) -> None:
        writer = self._writers[protocol.kind]
        client = Client(self._hub, writer, connection, self._metrics, self._patience)
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
            self._hub.leave(viewer)
            writer.remove(viewer)
            self._every_result.pop(client, None)
            self._metrics.clients.dec()

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
