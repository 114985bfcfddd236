"""A read-only PromQL proxy for promtool, Grafana and dashboards: a few paths, all bounded (bounds.py)."""

import re
import time
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from contract.api.service import PrometheusView
from gateway.errors import OutOfBounds, PrometheusError, TooManyQueries
from gateway.http.documentation import FORM, Responses, answer, errors
from gateway.http.problems import problem
from gateway.http.strict import PASSED_ON
from gateway.prometheus.bounds import Parameters, bounded
from gateway.prometheus.client import TIMEOUT_SECONDS, Prometheus
from gateway.security.access import holders_of
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile

AT_ONCE = 16
SPARE = 4
"""For tokens that have none under way. Together as many as Prometheus itself computes at once by default."""
WAITING = 100
"""A Grafana page asks all its panels at the same moment."""
PATIENCE_SECONDS = 5.0
LABEL = "^[a-zA-Z_][a-zA-Z0-9_]*$"

Parameter = tuple[str, str, str]
"""Name, description, example."""

QUERY: Parameter = ("query", "a PromQL expression", "sum(rate(cv_frames_processed_total[1m]))")
TIME = ("time", "Unix seconds or RFC 3339; without it: now", "1795216000")
START = ("start", "Unix seconds or RFC 3339", "1795215400")
END = ("end", "Unix seconds or RFC 3339", "1795216000")
STEP = ("step", "seconds, or a duration such as 15s; at most 11,000 points in 31 days", "15s")
TIMEOUT = ("timeout", f"Prometheus gives up after that, and after {TIMEOUT_SECONDS:g} s in any case", "5s")
LIMIT = ("limit", "how many at most", "1000")
MATCH = ("match[]", "a selector of series; may be repeated", 'cv_frames_processed_total{node_id="a1b2c3"}')
METRIC = ("metric", "only of this one", "cv_frames_processed_total")
SPAN = (MATCH, START, END, LIMIT)

LABELS = {"__name__": "cv_frames_processed_total", "node_id": "a1b2c3"}
VECTOR = {
    "resultType": "vector",
    "result": [{"metric": {"node_id": "a1b2c3"}, "value": [1795216000, "99.6"]}],
}
MATRIX = {
    "resultType": "matrix",
    "result": [{"metric": LABELS, "values": [[1795215985, "7000"], [1795216000, "8494"]]}],
}
METADATA = {"cv_frames_processed_total": [{"type": "counter", "help": "Frames computed", "unit": ""}]}
RULE = {"name": "FramefleetNoWorkers", "query": "absent(up == 1)", "health": "ok", "type": "alerting"}


@dataclass(frozen=True, slots=True)
class PromqlPath:
    """One path, as the document describes it. `needed` names the parameters that it cannot do without."""

    summary: str
    data: object
    parameters: tuple[Parameter, ...] = ()
    needed: tuple[str, ...] = ()


GET_OR_POST = {
    "query": PromqlPath(
        "Value of an expression now, or at `time`", VECTOR, (QUERY, TIME, TIMEOUT, LIMIT), ("query",)
    ),
    "query_range": PromqlPath(
        "Values of an expression over time",
        MATRIX,
        (QUERY, START, END, STEP, TIMEOUT, LIMIT),
        ("query", "start", "end", "step"),
    ),
    "query_exemplars": PromqlPath(
        "Exemplars of an expression over time", [], (QUERY, START, END), ("query",)
    ),
    "format_query": PromqlPath(
        "An expression, set out in lines",
        "sum by (node_id) (\n  rate(cv_frames_processed_total[1m])\n)",
        (QUERY,),
        ("query",),
    ),
    "series": PromqlPath("Series that match", [LABELS], SPAN, ("match[]",)),
    "labels": PromqlPath("Names of labels", ["__name__", "node_id"], SPAN),
}
GET_ONLY = {
    "label/{label}/values": PromqlPath("Values of a label", ["a1b2c3", "d4e5f6"], SPAN),
    "alerts": PromqlPath("Pending and firing alerts", {"alerts": []}),
    "rules": PromqlPath("Rules and their state", {"groups": [{"name": "workers", "rules": [RULE]}]}),
    "metadata": PromqlPath("Types and help texts of metrics", METADATA, (METRIC, LIMIT)),
    "status/buildinfo": PromqlPath("Version of Prometheus", {"version": "3.5.0"}),
}
REFUSALS = errors(
    {
        400: "more than 11000 points: take a longer step or a shorter range",
        422: "query processing would load too many samples into memory in query execution",
        502: "Prometheus cannot be reached: Connection refused",
        503: f"{AT_ONCE} queries are under way and {WAITING} wait: try again in a moment",
        504: f"Prometheus did not answer within {TIMEOUT_SECONDS:g} s: ask for less, or see how it is",
    }
)


def proxy_router(prometheus: Prometheus | None, refusals: Refusals) -> APIRouter:
    """Routes under /api/prometheus/api/v1."""
    router = APIRouter(prefix="/api/prometheus/api/v1", tags=["Prometheus"])
    turnstile = Turnstile(AT_ONCE, WAITING, PATIENCE_SECONDS, spare=SPARE)

    async def label_values(request: Request, label: Annotated[str, Path(pattern=LABEL)]) -> Response:
        return await _forward(request, f"label/{label}/values")

    async def forward(request: Request) -> Response:
        return await _forward(request, request.url.path.removeprefix(router.prefix + "/"))

    async def _forward(request: Request, path: str) -> Response:
        if prometheus is None:
            words = "no Prometheus is set up: PROMETHEUS_URL is empty"
            return problem(503, "unavailable", words, {"Retry-After": "3600"})
        parameters: Parameters = list(request.query_params.multi_items())
        form = request.method == "POST"
        holders = holders_of(request.scope)
        try:
            if form:
                parameters += await read_form(request)
            parameters = bounded(path, parameters, time.time())
            async with turnstile.passage(holders):
                answer = await prometheus.request(path, parameters, form=form)
        except OutOfBounds as error:
            return problem(400, "bad_data", str(error))
        except TooManyQueries:
            refusals.note("queries", holders)
            words = f"{AT_ONCE} queries are under way and {turnstile.waiting} wait: try again in a moment"
            return problem(503, "unavailable", words)
        except PrometheusError as error:
            return problem(error.status, error.error_type, str(error))
        return Response(answer.body, answer.status, {"Cache-Control": "no-store"}, "application/json")

    for path, proxied in (GET_OR_POST | GET_ONLY).items():
        for method in ("GET", "POST") if path in GET_OR_POST else ("GET",):
            router.add_api_route(
                f"/{path}",
                label_values if "{label}" in path else forward,
                methods=[method],
                response_model=PrometheusView,
                responses=good(proxied) | REFUSALS,
                summary=proxied.summary,
                description=f"Prometheus' own `/api/v1/{path}`; what is not listed here goes on to it as it is.",
                operation_id="prometheus_" + re.sub(r"\W+", "_", f"{method.lower()}_{path}"),
                openapi_extra=taken(method, proxied),
            )
    return router


def good(proxied: PromqlPath) -> Responses:
    """Prometheus' good answer, in the document."""
    return answer("Prometheus' own answer.", {"status": "success", "data": proxied.data})


def taken(method: str, proxied: PromqlPath) -> dict[str, Any]:
    """What an operation takes, in the document: a query, or the same as a form."""
    schemas: dict[str, dict[str, Any]] = {
        name: {"type": "array", "items": {"type": "string"}} if name.endswith("[]") else {"type": "string"}
        for name, _, _ in proxied.parameters
    }
    examples = {
        name: [example] if name.endswith("[]") else example
        for name, _, example in proxied.parameters
        if name in proxied.needed
    }
    if method == "POST":
        schema = {"type": "object", "required": list(proxied.needed), "properties": schemas}
        body = {"required": bool(proxied.needed), "content": {FORM: {"schema": schema, "example": examples}}}
        return {PASSED_ON: "Prometheus", "requestBody": body}
    return {
        PASSED_ON: "Prometheus",
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in proxied.needed,
                "description": words,
                "schema": schemas[name],
                "example": [example] if name.endswith("[]") else example,
            }
            for name, words, example in proxied.parameters
        ],
    }


async def read_form(request: Request) -> Parameters:
    """The body of a POST, url-encoded. Raises OutOfBounds."""
    kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if kind != FORM:
        raise OutOfBounds(f"the body is {kind[:64]}: send a form, {FORM}")
    try:
        return parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        raise OutOfBounds("the body is not a url-encoded form") from None
