"""What one address may have open, beyond TCP connections: WebSockets, and requests that come through a proxy."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import is_loopback
from gateway.http.problems import problem
from gateway.metrics import GatewayMetrics
from gateway.security.access import address_of, refuse_websocket
from gateway.security.crowd import Shares
from gateway.security.proxies import PROXIED

BUSY = {"Retry-After": "5"}


class FairShares:
    """ASGI middleware behind the access check. This machine's own programs are not counted."""

    def __init__(self, app: ASGIApp, viewers: int, requests: int, metrics: GatewayMetrics) -> None:
        self._app = app
        self._shares = {"websocket": Shares(viewers), "http": Shares(requests)}
        self._limits = {
            "websocket": (viewers, "WebSocket clients", "GATEWAY_MAX_VIEWERS_PER_ADDRESS"),
            "http": (requests, "requests under way", "GATEWAY_MAX_CONNECTIONS_PER_ADDRESS"),
        }
        self._refused = metrics.refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, address = scope["type"], address_of(scope)
        # A direct peer's requests need no counting: each has a connection, and those are counted (limits.py).
        counted = kind == "websocket" or (kind == "http" and PROXIED in scope)
        if not counted or is_loopback(address):
            await self._app(scope, receive, send)
            return
        shares = self._shares[kind]
        if shares.take(address):
            try:
                await self._app(scope, receive, send)
            finally:
                shares.give_back(address)
            return
        self._refused.labels("share").inc()
        limit, what, setting = self._limits[kind]
        refusal = problem(
            429, "too_many_requests", f"{limit} {what} come from this address, the limit ({setting})", BUSY
        )
        if kind == "http":
            await refusal(scope, receive, send)
        else:
            await refuse_websocket(refusal, receive, send)
