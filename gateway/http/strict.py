"""Requests as the OpenAPI document has them: HEAD wherever there is GET, 405 that says what is allowed, no surprise
parameters.

A parameter that no route reads would be ignored, and `?stat=offline` would list every camera: it is refused instead
(docs/adr/0018-unknown-parameters-are-refused.md). What a route takes is read from the route, as the document does it: a
new route needs to do nothing. To make the document itself would take the first request a fifth of a second.
"""

import contextlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.parameters import query_parameters
from gateway.http.problems import problem

RESERVED = ("/api/", "/ws/")
PASSED_ON = "x-passed-on"
"""In an operation of the document: parameters that it does not list go on to somebody else, who judges them."""
MAX_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class CheckedPath:
    """`parameters` by method, each with whether it may be repeated; no entry: not to be checked."""

    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    parameters: Mapping[str, Mapping[str, bool]]


class Strict:
    """An ASGI middleware. Put it inside of the access check: strangers learn nothing of the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._paths: list[CheckedPath] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._paths is None:
            self._paths = checked_paths(scope["app"])
        path: str = scope["path"]
        found = [each for each in self._paths if each.pattern.match(path)]
        if f"{path}/".startswith(RESERVED):
            # Not the dashboard's, which takes all.
            found = [each for each in found if not each.pattern.match("/")]
            if not found:
                await problem(404, "not_found", f"there is no {path[:200]}")(scope, receive, send)
                return
        if found and (refusal := _refusal(found, scope)):
            await refusal(scope, receive, send)
        elif scope["method"] == "HEAD" and found and "HEAD" not in found[0].methods:
            await _head(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refusal(found: list[CheckedPath], scope: Scope) -> Response | None:
    method: str = scope["method"]
    allowed = frozenset[str]().union(*(each.methods for each in found))
    allowed |= {"HEAD"} if "GET" in allowed else set()
    if method not in allowed:
        sentence = f"{scope['path']} does not take {method}, only {', '.join(sorted(allowed))}"
        return problem(405, "not_allowed", sentence, {"Allow": ", ".join(sorted(allowed))})
    if method == "HEAD" and not any("HEAD" in each.methods for each in found):
        method = "GET"
    known = next((each.parameters[method] for each in found if method in each.parameters), None)
    if known is None:
        return None
    if scope["query_string"].count(b"&") >= MAX_PARAMETERS:
        return problem(422, "bad_data", f"more than {MAX_PARAMETERS} parameters")
    names = [name for name, _ in QueryParams(scope["query_string"]).multi_items()]
    if faults := unexpected(names, known):
        return problem(422, "bad_data", "; ".join(faults))
    return None


def unexpected(names: Collection[str], known: Mapping[str, bool]) -> list[str]:
    """A sentence on each name that is not known, or given twice though it may not be repeated."""
    faults = []
    for name in dict.fromkeys(names):
        if name not in known:
            near = get_close_matches(name[:64], known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
            faults.append(f"unknown parameter {name[:64]}: {hint}")
        elif not known[name] and sum(each == name for each in names) > 1:
            faults.append(f"{name} is given more than once")
    return faults[:10]


async def _head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as to GET, without the body; whatever makes the body is stopped when it begins to send."""

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({"type": "http.response.body", "body": b""})
            raise _Enough
        await send(message)

    with contextlib.suppress(_Enough):
        await app({**scope, "method": "GET"}, receive, without_body)


class _Enough(Exception):  # nothing is wrong
    """The head has been sent."""


def checked_paths(app: FastAPI) -> list[CheckedPath]:
    """All routes but WebSockets and folders of files."""
    return [
        CheckedPath(route.path_format, route.path_regex, frozenset(route.methods), _parameters(route))
        for route in iter_route_contexts(app.routes)
        if route.methods is not None and route.path_format is not None
    ]


def _parameters(route: RouteContext) -> dict[str, dict[str, bool]]:
    if not (
        isinstance(route.original_route, APIRoute)
        and route.include_in_schema
        and str(route.path_format).startswith("/api/")
        and PASSED_ON not in (route.openapi_extra or {})
    ):
        return {}
    return dict.fromkeys(route.methods or (), query_parameters(route.dependant))
