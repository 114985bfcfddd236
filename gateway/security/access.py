"""Who may in: one ASGI middleware before every route, so that a new route cannot forget it.

Everything needs a session or a token, except the paths named here; what changes something needs the operator. Origin
is checked before a WebSocket is accepted and before anything is changed.
"""

import math
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import TooManyGuesses
from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.http.paths import OPEN_FILES, OPEN_PATHS
from gateway.http.problems import problem
from gateway.metrics import GatewayMetrics
from gateway.security.auth import Authenticator, Identity
from gateway.security.holders import Holders
from gateway.security.origins import Origins
from gateway.security.sessions import SESSION_SECONDS
from gateway.tokens.roles import SAFE_METHODS, needed_role, suffices
from runtime.logs import get_logger

log = get_logger("gateway")

HOW = "open a link (`framefleet link` makes one), or send `Authorization: Bearer <token>`"


class Access:
    """Lets a request through with its Identity in `scope["state"]["identity"]`, or answers it here."""

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, origins: frozenset[str], metrics: GatewayMetrics
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._origins = Origins(origins)
        self._refused = metrics.refused

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
        if refusal := self._check_origin(scope, headers):
            return refusal
        if path == "/" and scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            query = parse_qs(scope["query_string"].decode("latin-1"))
            if "token" in query and self._authenticator.required:
                # It stood in a history and in logs by now: such links are no longer made, and none is followed.
                return RedirectResponse("/login?link=token", 303)
            if "code" in query:
                return None  # the page that exchanges it
        if path in OPEN_PATHS or OPEN_FILES.fullmatch(path):
            return None
        address = address_of(scope)
        authorization, cookies = headers.get("authorization", ""), headers.get("cookie", "")
        try:
            identity = self._authenticator.identify(
                authorization, cookies, address, time.time(), secure=is_secure(scope)
            )
        except TooManyGuesses as error:
            self._refused.labels("guessing").inc()
            return too_many_guesses(error, address)
        if identity is None:
            self._refused.labels("unauthorized").inc()
            return not_signed_in(scope, headers)
        if refusal := self._check_rights(scope, headers, identity):
            return refusal
        scope.setdefault("state", {})["identity"] = identity
        return None

    def _check_origin(self, scope: Scope, headers: Headers) -> Response | None:
        """Refuse what a foreign page is behind."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._authenticator.required and not self._origins.own_host(host):
            self._refused.labels("host").inc()
            return problem(
                403, "forbidden", "this is not the gateway's own address: use localhost, or set a token"
            )
        if origin is None or not changes(scope):
            return None
        if self._origins.allow(origin, host, secure=is_secure(scope)):
            return None
        self._refused.labels("origin").inc()
        log.warning(
            "a foreign page was refused", origin=origin[:200], host=host[:200], address=address_of(scope)
        )
        words = (
            "add it to GATEWAY_ALLOWED_ORIGINS; behind a proxy that changes Host, see GATEWAY_TRUSTED_PROXIES"
        )
        return problem(403, "forbidden", f"pages of {origin[:200]} may not connect: {words}")

    def _check_rights(self, scope: Scope, headers: Headers, identity: Identity) -> Response | None:
        """Refuse what this identity may not do. A browser sends its cookie along whoever asks it to."""
        if identity.session is not None and changes(scope) and not self._origins.own_page(headers):
            self._refused.labels("origin").inc()
            words = "a browser's request must carry Origin or Sec-Fetch-Site; programs send a token instead of a cookie"
            return problem(403, "forbidden", words)
        if scope["type"] == "websocket":
            return None
        needed = needed_role(scope["method"], scope["path"])
        if suffices(identity.role, needed):
            return None
        self._refused.labels("role").inc()
        log.info(
            "a change was refused",
            role=identity.role,
            name=identity.name,
            address=address_of(scope),
            method=scope["method"],
            path=scope["path"][:200],
        )
        words = f"this needs the role {needed}; you are signed in as {identity.role}"
        return problem(403, "forbidden", words)


def changes(scope: Scope) -> bool:
    """Whether the request may change something, or opens a way to do so."""
    return scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS


def identity_of(scope: Mapping[str, Any]) -> Identity:
    """Who sent this request."""
    identity: Identity = scope["state"]["identity"]
    return identity


def holders_of(scope: Mapping[str, Any]) -> Holders:
    """For whom this request's share is counted."""
    return identity_of(scope).holders


def asker(request: Request) -> Holders:
    """The same, for routes: a dependency."""
    return holders_of(request.scope)


Asker = Annotated[Holders, Depends(asker)]
"""A route's parameter that is not a parameter of the request."""


def address_of(scope: Scope) -> str:
    """The client's address; behind a trusted proxy that of who is behind it (`gateway.security.proxies`)."""
    client = scope.get("client")
    return client[0] if client else ""


def asked_by(scope: Scope) -> dict[str, str | None]:
    """Who asks for a change, for the log: the token's `name`, and the `address`."""
    return {"name": identity_of(scope).name, "address": address_of(scope)}


def is_secure(scope: Scope) -> bool:
    """Whether the browser came by HTTPS, itself or up to a trusted proxy before us."""
    return scope["scheme"] in ("https", "wss")


def set_session(response: Response, session: str, identity: Identity, *, secure: bool) -> None:
    """Give the browser its session, for as long as it can last."""
    left = SESSION_SECONDS if identity.expires is None else identity.expires - time.time()
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        session,
        max_age=math.ceil(max(0.0, min(SESSION_SECONDS, left))),
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
    )


def too_many_guesses(error: TooManyGuesses, address: str) -> Response:
    """Answer to an address that tries many tokens, or to anybody new while very many do."""
    if error.first:
        log.warning("somebody guesses tokens: nothing more is tried for a minute", address=address)
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
