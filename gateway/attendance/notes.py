"""What requests leave behind for the register: an ASGI middleware inside of the access check, which knows who asks."""

from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.attendance.devices import MAX_AGENT
from gateway.attendance.identities import Visitor
from gateway.attendance.register import AttendanceRegister
from gateway.security.access import address_of
from gateway.security.auth import Identity
from gateway.security.guesses import network_of

PING = "/api/presence"
"""Who asks there speaks for others, and is not counted for it."""


class NotedVisitors:
    """Notes who asks, and who holds a WebSocket open. Who needs no token (login, probes, assets) is not."""

    def __init__(self, app: ASGIApp, register: AttendanceRegister) -> None:
        self._app = app
        self._register = register

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Not a coroutine of its own: each request would pay for one more."""
        identity: Identity | None = scope.get("state", {}).get("identity")
        if identity is None or scope["path"] == PING:
            return self._app(scope, receive, send)
        visitor = (identity.token_id, place_of(scope), agent_of(scope), "")
        if scope["type"] == "websocket":
            return self._held(Visitor(*visitor), scope, receive, send)
        self._register.see(visitor)
        return self._app(scope, receive, send)

    async def _held(self, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        """Note a WebSocket from when it is accepted until it is closed."""
        opened = False

        async def noting(message: Message) -> None:
            nonlocal opened
            if message["type"] == "websocket.accept" and not opened:
                opened = True
                self._register.opened(visitor)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if opened:
                self._register.closed(visitor)


def place_of(scope: Scope) -> str:
    """The client's address; of IPv6 the network, in which one machine has several."""
    address = address_of(scope)
    return network_of(address) if ":" in address else address


def agent_of(scope: Mapping[str, Any]) -> str:
    """The beginning of the user agent."""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent: bytes = value[:MAX_AGENT]
            return agent.decode("latin-1")
    return ""
