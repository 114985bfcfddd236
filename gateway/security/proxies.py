"""Who is behind a proxy: what X-Forwarded-For, -Proto and -Host say, believed only from proxies that were named.

Everybody else could write there what they like. nginx, Caddy and Traefik all send these headers; but a proxy passes on
whichever of them it does not set, as the client wrote it. So where GATEWAY_PUBLIC_URL is set, that is the host, and
where it is an https one the browser came by HTTPS.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import TrustedProxies

PROXIED = "framefleet.proxied"
"""In the scope: the client is not the peer, but somebody behind a trusted proxy."""


class ForwardedClient:
    """ASGI middleware: writes the client's own address, scheme and host into the scope, before anybody reads them.

    `public_url` is empty where a proxy's word is all that is known.
    """

    def __init__(self, app: ASGIApp, trusted: TrustedProxies, public_url: str = "") -> None:
        self._app = app
        self._trusted = trusted
        self._scheme, self._host = urlsplit(public_url)[:2]

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
        if self._scheme == "https":
            scheme = "https"
        if scheme in ("http", "https"):
            seen["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
        if host := self._host or first(headers.getlist("x-forwarded-host")):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            seen["headers"] = [(b"host", host.encode("latin-1")), *others]
        return seen


def first(values: Sequence[str]) -> str:
    """The first of a list that several proxies may have added to: how the browser came to the outermost."""
    return ",".join(values).partition(",")[0].strip()
