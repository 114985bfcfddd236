"""The gateway below a path of its host: GATEWAY_PUBLIC_URL=https://example.org/fleet, behind a proxy.

One ASGI middleware around everything: inside, all paths begin at `/`, as if the gateway had its host to itself. It
takes the path off what comes, whether or not the proxy has done so, and puts it before what browsers are sent to. Pages
are written with `placed`.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.cookies import SECURE_COOKIE, SECURE_COOKIE_BELOW

KEY = "framefleet.prefix"
NAMED = re.compile(r'\b(href|src|action|content)="\.?/')


class PathPrefix:
    """`prefix` begins with a slash and does not end with one."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_from_below(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._lead(MutableHeaders(scope=message))
            await send(message)

        await self._app(self._inside(scope), receive, send_from_below)

    def _inside(self, scope: Scope) -> Scope:
        seen: Scope = {**scope, KEY: self._prefix}
        path: str = scope["path"]
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            seen["path"] = path.removeprefix(self._prefix) or "/"
            raw: bytes = scope.get("raw_path") or b""
            seen["raw_path"] = raw.removeprefix(self._prefix.encode()) or b"/"
        seen["headers"] = [
            (name, value.replace(f"{SECURE_COOKIE_BELOW}=".encode(), f"{SECURE_COOKIE}=".encode()))
            if name == b"cookie"
            else (name, value)
            for name, value in scope["headers"]
        ]
        return seen

    def _lead(self, headers: MutableHeaders) -> None:
        """Where the browser is sent, and for which paths it keeps the session."""
        location = headers.get("location", "")
        if location.startswith("/") and not location.startswith("//"):
            headers["location"] = self._prefix + location
        if "refresh" in headers:
            headers["refresh"] = headers["refresh"].replace("url=/", f"url={self._prefix}/")
        if cookie := headers.get("set-cookie"):
            cookie = cookie.replace(f"{SECURE_COOKIE}=", f"{SECURE_COOKIE_BELOW}=")
            headers["set-cookie"] = cookie.replace("Path=/", f"Path={self._prefix}")


def prefix_of(scope: Scope) -> str:
    """The path below which browsers see us: `/fleet`; empty where we have the host to ourselves."""
    return str(scope.get(KEY, ""))


def placed(page: str, scope: Scope) -> str:
    """A page whose code, pictures and forms are found below the prefix; `meta name=base` tells its code."""
    return NAMED.sub(lambda found: f'{found[1]}="{prefix_of(scope)}/', page)
