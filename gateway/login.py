"""Signing in and out: a plain form for people, JSON for programs."""

import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from gateway.access import address_of, identity_of, is_secure, set_session, too_many_guesses
from gateway.auth import COOKIE, Authenticator, TooManyGuesses
from gateway.problems import json_response, problem
from gateway.views import ProblemView

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 4 * 1024
FORM = "application/x-www-form-urlencoded"
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {"token": {"type": "string"}},
                }
            }
            for kind in ("application/json", FORM)
        },
    }
}


class _Login(msgspec.Struct):
    token: str
    next: str = "/"


def login_router(authenticator: Authenticator, end_session: Callable[[str], None], folder: Path) -> APIRouter:
    """/login, /api/login and /api/logout. `end_session` closes what a session has open.

    The built dashboard in `folder` brings a login page of its own; ours is a plain form that needs no build.
    """
    router = APIRouter(tags=["Session"])
    page = (STATIC / "login.html").read_text()

    @router.get("/login", include_in_schema=False)
    async def form(request: Request) -> Response:
        target = local_path(request.query_params.get("next", "/"))
        if authenticator.identify("", request.headers.get("cookie", ""), "", time.time()) is not None:
            return RedirectResponse(target, 303)
        query = request.query_params
        if request.headers.get("sec-fetch-site") == "cross-site" and "again" not in query:
            # Followed from another site: the browser held the strict cookie back. Asked for again from here, it comes.
            return HTMLResponse("", headers={"Refresh": f"0; url=/login?again=1&next={quote(target)}"})
        if (folder / "login.html").is_file():
            return FileResponse(folder / "login.html", headers={"Cache-Control": "no-cache"})
        wrong = "That is not the token." if "wrong" in query else ""
        return HTMLResponse(page.replace("{{next}}", escape(target)).replace("{{wrong}}", wrong))

    @router.get("/login.css", include_in_schema=False)
    async def style() -> Response:
        return FileResponse(STATIC / "login.css", headers={"Cache-Control": "no-cache"})

    @router.post(
        "/api/login",
        openapi_extra=BODY,
        responses={code: {"model": ProblemView} for code in (400, 401, 413, 429)},
    )
    async def login(request: Request) -> Response:
        """Exchange the token for a session cookie. A form is answered with a redirect, JSON with JSON."""
        body = await _read(request)
        if body is None:
            return problem(413, "too_large", f"the body has more than {MAX_BODY_BYTES} bytes")
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        try:
            fields = (
                dict(parse_qsl(body.decode(), max_num_fields=10)) if is_form else msgspec.json.decode(body)
            )
            given = msgspec.convert(fields, _Login)
        except (ValueError, msgspec.MsgspecError):
            return problem(400, "bad_data", 'send {"token": "..."} as JSON, or a form with the field token')
        try:
            right = authenticator.check(given.token.strip(), address_of(request.scope), time.time())
        except TooManyGuesses:
            return too_many_guesses()
        target = local_path(given.next)
        if not right and is_form:
            return RedirectResponse(f"/login?wrong=1&next={quote(target)}", 303)
        if not right:
            return problem(401, "unauthorized", "that is not the token")
        response: Response = RedirectResponse(target, 303) if is_form else json_response({"role": "operator"})
        if authenticator.required:
            session = authenticator.new_session(time.time())
            set_session(response, session, secure=is_secure(request.scope, request.headers))
        return response

    @router.post("/api/logout")
    async def logout(request: Request) -> Response:
        """End this browser's session and what it has open."""
        session = identity_of(request.scope).session
        if session is not None:
            authenticator.revoke(session)
            end_session(session)
        response = json_response({"status": "signed out"})
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    return router


def local_path(target: str) -> str:
    """`target` if it stays on this site, else `/`: a login must not lead elsewhere."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fine else "/"


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
