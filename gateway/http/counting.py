"""Counts requests by route, method and code, and measures how long their answers take to begin."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.routes import RouteNames
from gateway.metrics import GatewayMetrics

CODES = {"websocket.accept": 101, "websocket.close": 403}
"""What uvicorn answers a handshake with. A close after an accept is none: the first word counts."""
FAILED = 500


class CountedRequests:
    """An ASGI middleware. Outside of what refuses requests, so that those are counted too.

    A WebSocket is counted by the answer to its handshake, and not measured: who accepts it has waited for nothing.
    """

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._requests = metrics.http_requests
        self._seconds = metrics.http_seconds
        self._names: RouteNames | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        answered = False

        async def counting(message: Message) -> None:
            nonlocal answered
            if not answered:
                answered = True
                self._count(scope, message.get("status") or CODES.get(message["type"], FAILED), begun)
            await send(message)

        try:
            await self._app(scope, receive, counting)
        except Exception:
            if not answered:
                self._count(scope, FAILED, begun)
            raise

    def _count(self, scope: Scope, code: int, begun: float) -> None:
        if self._names is None:
            self._names = RouteNames.of(scope["app"])
        route, method = self._names.name(scope["path"], scope.get("method", "GET"))
        self._requests.labels(route, method, str(code)).inc()
        if scope["type"] == "http":
            self._seconds.labels(route, method).observe(time.perf_counter() - begun)
