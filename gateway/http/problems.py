"""Errors of the API: one JSON shape, a sentence that says what happened and what to do."""

import http
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from contract.api.service import ProblemView
from gateway.errors import JobRefusal

TYPES = {
    400: "bad_data",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    408: "timeout",
    409: "conflict",
    410: "gone",
    412: "wrong_version",
    413: "too_large",
    415: "unsupported_type",
    422: "bad_data",
    423: "locked",
    429: "too_many_requests",
    503: "unavailable",
    504: "timeout",
    507: "no_room",
}
NOT_FOUND = http.HTTPStatus.NOT_FOUND.phrase
SHOWN = 40
"""Characters of a value that are quoted."""
RETRY_SECONDS = {429: 60, 503: 5}
"""When to try again, where the answer does not say it itself."""


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON (NaN becomes null), never cached."""
    body = msgspec.json.encode(value)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def problem(status: int, error_type: str, error: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error in the shape that Prometheus gives its own, so that its clients can read ours."""
    retry = {"Retry-After": str(RETRY_SECONDS[status])} if status in RETRY_SECONDS else {}
    return json_response(ProblemView("error", error_type, error), status, {**retry, **(headers or {})})


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong, as a phrase. A pattern is for programs, which have the document."""
    place = ".".join(map(str, error["loc"][1:])) or error["loc"][0]
    if error["type"] == "string_pattern_mismatch":
        return f"{place}: {str(error['input'])[:SHOWN]!r} is not of its form"
    return f"{place}: {error['msg']}"


def install(app: FastAPI) -> None:
    """Let FastAPI's own errors take this shape, and what is refused of jobs."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return problem(422, "bad_data", "; ".join(map(_fault, error.errors())))

    @app.exception_handler(JobRefusal)
    async def refused(_request: Request, error: JobRefusal) -> Response:
        return problem(error.status, TYPES.get(error.status, "error"), str(error))

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if error.status_code == 404 and detail == NOT_FOUND:  # the framework's own
            detail = f"there is no {request.url.path}"
        return problem(error.status_code, TYPES.get(error.status_code, "error"), detail, error.headers)
