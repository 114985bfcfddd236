"""The built dashboard: hashed assets for ever, the page itself always asked for again."""

import re
import time
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.http.compression import compressed
from gateway.http.prefix import placed
from gateway.http.problems import problem
from gateway.security.access import identity_of, is_secure, set_session
from gateway.security.auth import Authenticator
from gateway.security.login import STATIC, link_page

NO_CACHE = {"Cache-Control": "no-cache"}
IMMUTABLE = "public, max-age=31536000, immutable"
RESERVED = ("api/", "ws/", "assets/")
# The documentation as pages, which the dashboard's build makes (dashboard/documents.js).
DOCUMENTS = "docs"
# The dashboard's pages, as its own table has them: dashboard/src/shell/pages.ts.
PAGES = (
    *("/", "/cameras/{id}", "/wall", "/events", "/nodes", "/alerts"),
    *("/models", "/queues", "/jobs", "/jobs/{id}", "/explore", "/settings"),
)
_PAGE = re.compile("|".join(re.escape(path).replace(r"\{id\}", "[^/]+") for path in PAGES))


class Assets(StaticFiles):
    """Files whose names contain their hash; text travels compressed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = IMMUTABLE
        return await compressed(response, scope)


def pages_router(folder: Path, authenticator: Authenticator) -> APIRouter:
    """The dashboard at every path of its pages, with a session renewed when it is a day old.

    At other paths browsers get it with status 404, and it says so in words; whoever wants no HTML gets a problem.
    """
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    async def page(request: Request, path: str) -> Response:
        if not path and "code" in request.query_params:
            if not authenticator.required:
                return RedirectResponse("/", 303)
            return link_page(request.query_params["code"], request.scope)
        if path.startswith(RESERVED) or path in ("api", "ws"):
            return problem(404, "not_found", f"there is no /{path}")
        if path.rstrip("/") == DOCUMENTS:
            return RedirectResponse(f"/{DOCUMENTS}/index.html", 307)
        found = await run_in_threadpool(_file, folder, path)
        if found is not None:
            file = FileResponse(found, headers=NO_CACHE, stat_result=await run_in_threadpool(found.stat))
            return await compressed(file, request.scope)
        known = is_page(f"/{path}")
        if not known and (_is_file(path) or "text/html" not in request.headers.get("accept", "")):
            return problem(404, "not_found", f"there is no /{path}")
        index = await run_in_threadpool(_file, folder, "index.html")
        if index is None:
            return HTMLResponse(placed((STATIC / "unbuilt.html").read_text(), request.scope), 503, NO_CACHE)
        response = HTMLResponse(
            placed(await run_in_threadpool(index.read_text), request.scope),
            200 if known else 404,
            headers=NO_CACHE,
        )
        if request.scope.get("state", {}).get("identity") and (who := identity_of(request.scope)).renew:
            session = authenticator.new_session(who, time.time())
            set_session(response, session, who, secure=is_secure(request.scope))
        return response

    return router


def is_page(path: str) -> bool:
    """True for the path of one of the dashboard's pages, with or without a slash at its end."""
    return _PAGE.fullmatch(path.rstrip("/") or "/") is not None


def _is_file(path: str) -> bool:
    """True for what no person opens: a picture, a script; not for a page of the documentation that is no more."""
    name = path.rpartition("/")[2]
    return "." in name and not name.endswith(".html")


def _file(folder: Path, path: str) -> Path | None:
    """The file of that name inside `folder`."""
    if not path or "\0" in path:
        return None
    root = folder.resolve()
    file = (root / path).resolve()
    return file if file.is_relative_to(root) and file.is_file() else None
