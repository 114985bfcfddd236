"""Who may in: one ASGI middleware before every route, so that a new route cannot forget it.

Everything needs a session or the token, except the paths named here. Origin is checked before a WebSocket is
accepted and before anything is changed.
"""

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth import COOKIE, SESSION_SECONDS, Authenticator, Identity, TooManyGuesses
from gateway.problems import problem
from gateway.settings import is_loopback

OPEN_PATHS = frozenset({"/livez", "/readyz", "/login", "/api/login"})
# The dashboard's own code and icons: they hold no data, and the login page needs them.
OPEN_FILES = re.compile(r"/assets/.*|/[\w-]+\.(js|css|svg|ico|png|webmanifest)")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOW = "open the link that the gateway printed at start, or send `Authorization: Bearer <token>`"


class Access:
    """Lets a request through with its Identity in `scope["state"]["identity"]`, or answers it here."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, origins: frozenset[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._judge(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await refuse_websocket(refusal, receive, send)

    def _judge(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if not self._host_allowed(headers.get("host", "")):
            return problem(
                403, "forbidden", "this is not the gateway's own address: use localhost, or set a token"
            )
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if changes and origin is not None and not self._origin_allowed(origin, headers.get("host", "")):
            return problem(
                403, "forbidden", f"pages of {origin} may not connect: add it to GATEWAY_ALLOWED_ORIGINS"
            )
        if path in OPEN_PATHS or OPEN_FILES.fullmatch(path):
            return None
        address = address_of(scope)
        try:
            if scope["type"] == "http" and path == "/" and scope["method"] == "GET":
                presented = parse_qs(scope["query_string"].decode("latin-1")).get("token")
                if presented and self._authenticator.required:
                    return self._ready_link(presented[0], address, secure=is_secure(scope, headers))
            authorization, cookies = headers.get("authorization", ""), headers.get("cookie", "")
            identity = self._authenticator.identify(authorization, cookies, address, time.time())
        except TooManyGuesses:
            return too_many_guesses()
        if identity is None:
            return not_signed_in(scope, headers)
        scope.setdefault("state", {})["identity"] = identity
        return None

    def _ready_link(self, token: str, address: str, *, secure: bool) -> Response:
        if not self._authenticator.check(token, address, time.time()):
            return RedirectResponse("/login?wrong=1", 303)
        response = RedirectResponse("/", 303)
        set_session(response, self._authenticator.new_session(time.time()), secure=secure)
        return response

    def _origin_allowed(self, origin: str, host: str) -> bool:
        origin = origin.lower()
        return origin in self._origins or (origin != "null" and urlsplit(origin).netloc == host.lower())

    def _host_allowed(self, host: str) -> bool:
        """Without a token, a foreign page whose name was made to resolve to this machine must not get in."""
        if self._authenticator.required:
            return True
        name = urlsplit(f"//{host}").hostname or ""
        return is_loopback(name) or any(urlsplit(origin).netloc == host.lower() for origin in self._origins)


def identity_of(scope: Mapping[str, Any]) -> Identity:
    """Who sent this request."""
    identity: Identity = scope["state"]["identity"]
    return identity


def address_of(scope: Scope) -> str:
    """The peer's address."""
    client = scope.get("client")
    return client[0] if client else ""


def is_secure(scope: Scope, headers: Headers) -> bool:
    """Whether the browser came by HTTPS, itself or up to a proxy before us."""
    return scope["scheme"] in ("https", "wss") or headers.get("x-forwarded-proto", "") == "https"


def set_session(response: Response, session: str, *, secure: bool) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE, session, max_age=int(SESSION_SECONDS), httponly=True, samesite="strict", secure=secure
    )


def too_many_guesses() -> Response:
    """Answer to an address that tries many tokens."""
    return problem(429, "too_many_requests", "too many wrong tokens: wait a minute", {"Retry-After": "60"})


def not_signed_in(scope: Scope, headers: Headers) -> Response:
    """A page goes to the login, a program gets 401. Only programs are told of Basic: a browser would pop up a box."""
    path: str = scope["path"]
    reads = scope["type"] == "http" and scope["method"] in SAFE_METHODS
    if reads and not path.startswith(("/api/", "/ws/")):
        query = scope["query_string"].decode("latin-1")
        here = path + (f"?{query}" if query else "")
        return RedirectResponse("/login" if here == "/" else f"/login?next={quote(here)}", 303)
    browser = "sec-fetch-mode" in headers or headers.get("user-agent", "").startswith("Mozilla/")
    challenge = {} if browser else {"WWW-Authenticate": 'Basic realm="framefleet", charset="UTF-8", Bearer'}
    return problem(401, "unauthorized", f"no valid token: {HOW}", challenge)


async def refuse_websocket(refusal: Response, receive: Receive, send: Send) -> None:
    """Refuse the upgrade with an ordinary HTTP answer."""
    await receive()
    start: Message = {
        "type": "websocket.http.response.start",
        "status": refusal.status_code,
        "headers": refusal.raw_headers,
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": bytes(refusal.body)})
