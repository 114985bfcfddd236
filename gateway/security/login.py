"""Signing in and out: a plain form for people, JSON for programs, and the page that a ready link opens."""

import re
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from contract.json import decode
from gateway.errors import TooManyGuesses
from gateway.http.cookies import COOKIE, SECURE_COOKIE
from gateway.http.documentation import error
from gateway.http.prefix import placed
from gateway.http.problems import json_response, problem
from gateway.metrics import GatewayMetrics
from gateway.security.access import address_of, identity_of, is_secure, set_session, too_many_guesses
from gateway.security.auth import Authenticator, session_holder
from runtime.logs import get_logger

log = get_logger("gateway")

STATIC = Path(__file__).parent / "static"
NO_CACHE = {"Cache-Control": "no-cache"}
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
NEW_LINK = "`.venv/bin/framefleet link`, or with Compose `docker compose exec gateway framefleet link`"
USED = f"this link was used already, or has expired: {NEW_LINK}, makes a new one"
WRONG = {  # by what /login is asked with: ?wrong=1, ?link=used, ?link=token
    "1": "That is not the token.",
    "used": f"This link was used already, or has expired. {NEW_LINK}, makes a new one.",
    "token": "A link with a token in it signs nobody in any more, for logs and histories keep it. "
    f"{NEW_LINK}, makes a new one; or paste the token here.",
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {
                "schema": {
                    "type": "object",
                    "properties": {"token": {"type": "string"}, "code": {"type": "string"}},
                    "oneOf": [{"required": ["token"]}, {"required": ["code"]}],
                }
            }
            for kind in (JSON, FORM)
        },
    }
}


class _Login(msgspec.Struct):
    token: str | None = None
    code: str | None = None
    next: str = "/"


_json = msgspec.json.Decoder()


def login_router(
    authenticator: Authenticator,
    end: Callable[[str, str], None],
    folder: Path,
    metrics: GatewayMetrics,
) -> APIRouter:
    """/login, /api/login and /api/logout. `end(holder, why)` closes what a session has open.

    The built dashboard in `folder` brings a login page of its own; ours is a plain form that needs no build.
    """
    router = APIRouter(tags=["Session"])
    page = (STATIC / "login.html").read_text()

    @router.get("/login", include_in_schema=False)
    async def form(request: Request) -> Response:
        query, secure = request.query_params, is_secure(request.scope)
        target = local_path(query.get("next", "/"))
        cookies = request.headers.get("cookie", "")
        if authenticator.identify("", cookies, "", time.time(), secure=secure) is not None:
            return RedirectResponse(target, 303)
        if request.headers.get("sec-fetch-site") == "cross-site" and "again" not in query:
            # Followed from another site: the browser held the strict cookie back. Asked for again from here, it comes.
            return HTMLResponse("", headers={"Refresh": f"0; url=/login?again=1&next={quote(target)}"})
        if (folder / "login.html").is_file():
            built = (folder / "login.html").read_text()
            return HTMLResponse(placed(built, request.scope), headers=NO_CACHE)
        wrong = WRONG.get(query.get("wrong", "") or query.get("link", ""), "")
        filled = placed(page, request.scope).replace("{{next}}", escape(target))
        return HTMLResponse(filled.replace("{{wrong}}", escape(wrong)))

    for name in ("login.css", "link.js"):
        _serve_static(router, name)

    @router.post(
        "/api/login",
        openapi_extra=BODY,
        responses={code: error() for code in (400, 401, 413, 415, 429)},
    )
    async def login(request: Request) -> Response:
        """Exchange a token or a one-time code for a session cookie.

        A form is answered with a redirect, JSON with JSON.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (JSON, FORM):
            # A foreign page can make a browser send text/plain that reads as JSON, and not ask us before.
            return problem(415, "unsupported_type", f"send {JSON}, or a form ({FORM})")
        body = await request.body()
        try:
            fields = (
                dict(parse_qsl(body.decode(), max_num_fields=10)) if kind == FORM else decode(_json, body)
            )
            given = msgspec.convert(fields, _Login)
        except (ValueError, msgspec.MsgspecError):
            return problem(400, "bad_data", 'send {"token": "..."} or {"code": "..."}, as JSON or as a form')
        if (given.token is None) == (given.code is None):
            return problem(400, "bad_data", "send either token or code")
        return await _sign_in(request, given, form=kind == FORM)

    async def _sign_in(request: Request, given: _Login, *, form: bool) -> Response:
        address, wall, how = address_of(request.scope), time.time(), "token" if given.code is None else "code"
        if prefetched(request):
            return problem(403, "forbidden", "a page that is only loaded in advance does not sign in")
        try:
            if given.code is not None:
                identity = await authenticator.exchange(given.code.strip(), address, wall)
            else:
                identity = authenticator.check((given.token or "").strip(), address, wall)
        except TooManyGuesses as error:
            metrics.logins.labels("limited").inc()
            metrics.refused.labels("guessing").inc()
            return too_many_guesses(error, address)
        metrics.logins.labels("refused" if identity is None else "accepted").inc()
        target = local_path(given.next)
        if identity is None:
            if form:
                query = "link=used" if how == "code" else "wrong=1"
                return RedirectResponse(f"/login?{query}&next={quote(target)}", 303)
            return problem(401, "unauthorized", USED if how == "code" else "that is not the token")
        log.info("signed in", how=how, name=identity.name, role=identity.role, address=address)
        response: Response = RedirectResponse(target, 303) if form else json_response({"role": identity.role})
        if authenticator.required:
            session = authenticator.new_session(identity, wall)
            set_session(response, session, identity, secure=is_secure(request.scope))
        return response

    @router.post("/api/logout")
    async def logout(request: Request) -> Response:
        """End this browser's session and what it has open."""
        identity = identity_of(request.scope)
        if identity.session is not None:
            authenticator.sign_out(identity, time.time())
            end(session_holder(identity.session), "signed out")
            log.info("signed out", name=identity.name, address=address_of(request.scope))
        response = json_response({"status": "signed out"})
        secure = is_secure(request.scope)
        name = SECURE_COOKIE if secure else COOKIE
        response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=secure)
        return response

    return router


def link_page(code: str, scope: Scope) -> Response:
    """What a ready link opens: a page that posts the code. A program that only looks at the link uses nothing up."""
    if not CODE.fullmatch(code):
        return RedirectResponse("/login?link=used", 303)
    page = placed((STATIC / "link.html").read_text(), scope)
    return HTMLResponse(page.replace("{{code}}", escape(code)), headers={"Cache-Control": "no-store"})


def prefetched(request: Request) -> bool:
    """Whether a browser only loads this in advance, in case somebody will want it."""
    return "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", ""))


def local_path(target: str) -> str:
    """`target` if it stays on this site, else `/`: a login must not lead elsewhere."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fine else "/"


def _serve_static(router: APIRouter, name: str) -> None:
    @router.get(f"/{name}", include_in_schema=False)
    async def static() -> Response:
        return FileResponse(STATIC / name, headers=NO_CACHE)
