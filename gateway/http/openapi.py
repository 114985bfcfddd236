"""The OpenAPI document: FastAPI's, with what holds for every operation said once, here."""

import http.client
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from contract.api.service import ProblemView
from contract.document import message_schemas
from gateway.http.cookies import COOKIE
from gateway.http.documentation import FORM, PROBLEM, example_of
from gateway.http.paths import OPEN_PATHS
from gateway.http.strict import PASSED_ON
from runtime.version import VERSION

DESCRIPTION = """\
Live results, cameras, nodes, figures, models and history of a Framefleet cluster.

**Who may.** Every path but the probes and the login needs a token: `Authorization: Bearer TOKEN`, or as the password
of Basic (any user name), or for browsers the cookie that `POST /api/login` sets. A viewer reads, an operator changes.

**Conventions.** Times are Unix seconds, durations seconds; parameters that are times take RFC 3339 too. A list comes a
page at a time: `next` of the answer is the `cursor` of the next page, null at the end. Fields may be added, and none is
taken away: ignore those that you do not know. A parameter that is not listed here is refused (422), so that a misspelt
filter does not list everything. HEAD works wherever GET does. Nothing is cached (`Cache-Control: no-store`).

**Errors** are `{"status": "error", "errorType": "...", "error": "a sentence"}`, as Prometheus gives its own. 429 and
503 say in `Retry-After` when to try again.

**WebSocket.** `ws://HOST/ws/results` sends one result per message, as JSON; the token goes as above. `?cameras=a,b`
names cameras, `&frames=1` adds their pictures in base64. The dashboard speaks the sub-protocol `framefleet.v1` on the
same path: `HelloMessage`, `ResultsMessage`, `CamerasMessage`, `NodesMessage`, `WithheldMessage` and `PictureHead`
come, `Subscribe` and `Painted` go. OpenAPI cannot describe WebSockets themselves: docs/streaming.md does.
"""

TAGS = [
    ("Cluster", "Figures, nodes and dead letters."),
    ("Alerts", "What fires, which rules there are, what to do."),
    ("Cameras", "What is known of each camera."),
    ("Models", "Which models the cluster has, and switching while frames flow."),
    ("History", "What was detected when: events, activity, frames, exports."),
    ("Jobs", "Many pictures and videos at once: uploads, progress, results."),
    ("Session", "Who asks; signing in and out."),
    (
        "Prometheus",
        "A read-only PromQL proxy: give it to Grafana or promtool as the address of a Prometheus.",
    ),
    ("Probes", "For orchestrators; without a token."),
]

SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "the token"},
    "basic": {"type": "http", "scheme": "basic", "description": "any user name; the token as the password"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "a browser's session, from `POST /api/login` or the link that the gateway printed",
    },
}

OF_ALL = {
    401: "no valid token: open a link (`framefleet link` makes one), or send `Authorization: Bearer <token>`",
    403: "this needs the role operator; you are signed in as viewer",
    422: "unknown parameter stat: did you mean state?",
    429: "too many wrong tokens: wait a minute",
    504: "no answer within 30 s: ask for less",
}
OF_CHANGES = {
    400: 'send {"token": "..."} as JSON, or a form with the field token',
    408: "the body did not arrive within 30 s",
    413: "the body has more than 64 KiB",
    415: "send application/json, or a form (application/x-www-form-urlencoded)",
}
DESCRIPTIONS = {
    400: "The request makes no sense.",
    401: "No valid token.",
    403: "Not allowed with this token, or from this page.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "Not as things are now.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "A parameter is unknown or has a value that it cannot have.",
    429: "Too many requests; `Retry-After` says when to try again.",
    502: "Prometheus cannot be reached, or what answers is not a Prometheus.",
    503: "Not now; `Retry-After` says when to try again.",
    504: "No answer in time.",
}
METHODS = frozenset({"get", "head", "options", "post", "put", "patch", "delete"})
READING = frozenset({"get", "head", "options"})
FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
"""How FastAPI would answer 422; we answer it as all errors (problems.install)."""


def install(app: FastAPI) -> None:
    """Let the application describe itself; the document is made when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    tags = [{"name": name, "description": words} for name, words in TAGS]
    made = get_openapi(
        title=app.title,
        version=VERSION,
        description=DESCRIPTION,
        routes=app.routes,
        tags=tags,
        servers=app.servers or None,
    )
    made["security"] = [{name: []} for name in SCHEMES]
    made["components"]["securitySchemes"] = SCHEMES
    problem = {"ProblemView": TypeAdapter(ProblemView).json_schema()}
    made["components"]["schemas"] |= message_schemas() | problem | made["components"]["schemas"]
    for name in FASTAPIS_OWN:
        made["components"]["schemas"].pop(name, None)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                _complete(path, method, operation)
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            operation = made["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _restore_examples(operation["responses"], route.responses)
    return made


def _restore_examples(responses: dict[str, Any], given: Mapping[int | str, Mapping[str, Any]]) -> None:
    """FastAPI leaves every null out of its document, those in examples too."""
    for status, response in given.items():
        for kind, content in response.get("content", {}).items():
            for name in content.keys() & {"example", "examples"}:
                responses[str(status)]["content"][kind][name] = content[name]


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """What the access check, the parameter check, the bounds and the deadline answer on every path."""
    responses: dict[str, Any] = operation["responses"]
    if FASTAPIS_OWN[0] in str(responses.get("422", "")):
        del responses["422"]
    if path in OPEN_PATHS:
        operation["security"] = []
    if path.startswith("/api/"):
        for status, sentence in OF_ALL.items():
            responses.setdefault(str(status), _error(status, sentence))
        for status, sentence in OF_CHANGES.items() if method not in READING else ():
            responses.setdefault(str(status), _error(status, sentence))
    if FORM in operation.get("requestBody", {}).get("content", {}) and PASSED_ON not in operation:
        responses.setdefault("303", {"description": "What a form is answered with: the next page."})
    for code, response in responses.items():
        if response.get("description") == http.client.responses.get(int(code)):
            response["description"] = DESCRIPTIONS.get(int(code), response["description"])
    operation["responses"] = dict(sorted(responses.items()))


def _error(status: int, sentence: str) -> dict[str, Any]:
    content = {
        "schema": PROBLEM,
        "example": example_of(status, sentence),
    }
    return {"description": DESCRIPTIONS[status], "content": {"application/json": content}}
