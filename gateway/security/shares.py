"""What one client may have under way: requests of an address through a proxy, and the event loop's time by token."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import is_loopback
from gateway.errors import TooManyQueries
from gateway.http.problems import problem
from gateway.metrics import GatewayMetrics
from gateway.security.access import address_of, refuse_websocket
from gateway.security.auth import Identity
from gateway.security.crowd import Shares
from gateway.security.proxies import PROXIED
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile

BUSY = {"Retry-After": "5"}


class FairShares:
    """ASGI middleware behind the access check. This machine's own programs are not counted.

    A direct peer's requests need no counting: each has a connection, and those are counted (server/connections.py).
    """

    def __init__(self, app: ASGIApp, requests: int, metrics: GatewayMetrics) -> None:
        self._app = app
        self._requests = requests
        self._shares = Shares(requests)
        self._refused = metrics.refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        if scope["type"] != "http" or PROXIED not in scope or is_loopback(address):
            await self._app(scope, receive, send)
        elif self._shares.take(address):
            try:
                await self._app(scope, receive, send)
            finally:
                self._shares.give_back(address)
        else:
            self._refused.labels("share").inc()
            words = (
                f"{self._requests} requests under way come from this address, the limit "
                "(GATEWAY_MAX_CONNECTIONS_PER_ADDRESS)"
            )
            await problem(429, "too_many_requests", words, BUSY)(scope, receive, send)


class LoopShares:
    """ASGI middleware: requests begin one after the other, those of the token that has cost least first.

    Every request computes on the one event loop on which probes are answered and pictures sent. `turnstile` is let
    through one at a time and rests after each, so whatever a token asks for, in each turn of the loop is one request.
    """

    def __init__(self, app: ASGIApp, turnstile: Turnstile, refusals: Refusals) -> None:
        self._app = app
        self._turnstile = turnstile
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identity: Identity | None = scope.get("state", {}).get("identity")
        if identity is None:  # probes, the login, the page's own code; and what is not a request
            await self._app(scope, receive, send)
            return
        try:
            ticket = await self._turnstile.enter(identity.holders)
        except TooManyQueries:
            self._refusals.note("busy", identity.holders)
            refusal = problem(
                503, "unavailable", "this token asks for more than its share: ask less often", BUSY
            )
            if scope["type"] == "http":
                await refusal(scope, receive, send)
            else:
                await refuse_websocket(refusal, receive, send)
            return
        # In its next turn the loop has come to where this request waits for something, or is done with it.
        asyncio.get_running_loop().call_soon(self._turnstile.leave, ticket)
        await self._app(scope, receive, send)
