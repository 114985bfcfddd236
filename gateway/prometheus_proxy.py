"""A read-only PromQL proxy for promtool, Grafana and dashboards: a few paths, bounded range, points, time and size."""

import re
import time
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from gateway.problems import problem
from gateway.prometheus import Prometheus, PrometheusError
from gateway.times import parse_duration, parse_time
from gateway.views import ProblemView

MAX_RANGE_SECONDS = 31 * 86_400.0
MAX_POINTS = 11_000
MAX_FORM_BYTES = 64 * 1024

GET_OR_POST = ("query", "query_range", "series", "labels")
GET_ONLY = ("label/{label}/values", "alerts", "rules", "metadata", "status/buildinfo")
PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"model": ProblemView} for code in (400, 413, 502, 503, 504)
}
LABEL = "^[a-zA-Z_][a-zA-Z0-9_]*$"
LABEL = "^[a-zA-Z_][a-zA-Z0-9_]*$"
Parameters = list[tuple[str, str]]


class OutOfBounds(ValueError):
    """A query that asks for too much, or for what no query can be."""


def proxy_router(prometheus: Prometheus | None) -> APIRouter:
    """Routes under /api/prometheus/api/v1."""
    router = APIRouter(prefix="/api/prometheus/api/v1", tags=["Prometheus"], responses=PROBLEMS)

    async def label_values(request: Request, label: Annotated[str, Path(pattern=LABEL)]) -> Response:
        return await _forward(request, f"label/{label}/values")

    async def forward(request: Request) -> Response:
        return await _forward(request, request.url.path.removeprefix(router.prefix + "/"))

    async def _forward(request: Request, path: str) -> Response:
        if prometheus is None:
            return problem(503, "unavailable", "no Prometheus is set up: PROMETHEUS_URL is empty")
        parameters: Parameters = list(request.query_params.multi_items())
        form = request.method == "POST"
        try:
            if form:
                parameters += await read_form(request)
            parameters = bounded(path, parameters, time.time())
            answer = await prometheus.request(path, parameters, form=form)
        except OutOfBounds as error:
            return problem(400, "bad_data", str(error))
        except PrometheusError as error:
            return problem(error.status, error.error_type, str(error))
        return Response(answer.body, answer.status, {"Cache-Control": "no-store"}, "application/json")

    for path in (*GET_OR_POST, *GET_ONLY):
        methods = ["GET", "POST"] if path in GET_OR_POST else ["GET"]
        for method in methods:
            router.add_api_route(
                f"/{path}",
                label_values if "{label}" in path else forward,
                methods=[method],
                response_class=Response,
                summary=f"Prometheus' own /api/v1/{path}",
                operation_id="prometheus_" + re.sub(r"\W+", "_", f"{method.lower()}_{path}"),
            )
    return router


async def read_form(request: Request) -> Parameters:
    """The body of a POST, url-encoded. Raises OutOfBounds."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise OutOfBounds(f"the form has more than {MAX_FORM_BYTES} bytes")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        raise OutOfBounds("the body is no url-encoded form") from None


def bounded(path: str, parameters: Parameters, now: float) -> Parameters:
    """The parameters to pass on. Raises OutOfBounds for what would keep Prometheus busy for everybody else."""
    values = dict(parameters)
    if "timeout" in values and _duration("timeout", values["timeout"]) <= 0:
        raise OutOfBounds("timeout must be positive")
    start = _time("start", values["start"]) if "start" in values else None
    end = _time("end", values["end"]) if "end" in values else None
    if start is not None and end is not None and end < start:
        raise OutOfBounds("end lies before start")
    if path == "query_range":
        if start is None or end is None or "step" not in values:
            raise OutOfBounds("a range query needs start, end and step")
        _check_range(start, end, _duration("step", values["step"]))
    elif path in ("series", "labels") or path.startswith("label/"):
        # promtool asks for all times there are: it gets the names of the last 31 days.
        end = now if end is None else min(end, now)
        start = max(end - MAX_RANGE_SECONDS, start if start is not None else end - MAX_RANGE_SECONDS)
        kept = [(name, value) for name, value in parameters if name not in ("start", "end")]
        return [*kept, ("start", f"{start:.3f}"), ("end", f"{max(start, end):.3f}")]
    return parameters


def _check_range(start: float, end: float, step: float) -> None:
    if end - start > MAX_RANGE_SECONDS:
        raise OutOfBounds("the range is longer than 31 days: ask for a part of it")
    if step <= 0:
        raise OutOfBounds("step must be positive")
    if (end - start) / step > MAX_POINTS:
        raise OutOfBounds(f"more than {MAX_POINTS} points: take a longer step or a shorter range")


def _time(name: str, text: str) -> float:
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise OutOfBounds(f"{name} is neither Unix seconds nor an RFC 3339 time") from None


def _duration(name: str, text: str) -> float:
    try:
        return parse_duration(text)
    except (ValueError, OverflowError):
        raise OutOfBounds(f"{name} is neither a number of seconds nor a duration like 15s") from None
