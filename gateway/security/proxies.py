"""Who is behind a proxy: what X-Forwarded-For, -Proto and -Host say, believed only from proxies that were named.

Everybody else could write there what they like. nginx, Caddy and Traefik all send these headers.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

PROXIED = "framefleet.proxied"
"""In the scope: the client is not the peer, but somebody behind a trusted proxy."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Addresses and networks whose word on their clients is believed. Raises ValueError for what is neither."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(
            ipaddress.ip_network(name, strict=False) for name in names
        )

    def __contains__(self, address: str) -> bool:
        parsed = parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The nearest address that is no trusted proxy: whatever stands before it was written by that client."""
        nearest = peer
        for name in reversed([part.strip() for value in forwarded_for for part in value.split(",")]):
            address = parse(name)
            if address is None:
                return nearest
            nearest = str(address)
            if nearest not in self:
                return nearest
        return nearest


class ForwardedClient:
    """ASGI middleware: writes the client's own address, scheme and host into the scope, before anybody reads them."""

    def __init__(self, app: ASGIApp, trusted: TrustedProxies) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get("client")
        if scope["type"] in ("http", "websocket") and peer and peer[0] in self._trusted:
            scope = self._believed(scope, peer[0])
        await self._app(scope, receive, send)

    def _believed(self, scope: Scope, peer: str) -> Scope:
        headers = Headers(scope=scope)
        seen: Scope = {**scope, PROXIED: True}
        seen["client"] = (self._trusted.client(peer, headers.getlist("x-forwarded-for")), 0)
        scheme = first(headers.getlist("x-forwarded-proto")).lower()
        if scheme in ("http", "https"):
            seen["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
        if host := first(headers.getlist("x-forwarded-host")):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            seen["headers"] = [(b"host", host.encode("latin-1")), *others]
        return seen


def first(values: Sequence[str]) -> str:
    """The first of a list that several proxies may have added to: how the browser came to the outermost."""
    return ",".join(values).partition(",")[0].strip()


def parse(name: str) -> Address | None:
    """The address in an entry of X-Forwarded-For, which may have a port; None if it is no address."""
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
