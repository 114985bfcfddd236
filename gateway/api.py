"""The API's own questions: session, metrics."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.api.figures import HistoryView, MetricsView
from contract.api.service import Launcher, SessionView
from gateway.figures import FigureBoard
from gateway.http.documentation import answer, answers
from gateway.http.problems import json_response
from gateway.security.access import identity_of
from runtime.version import VERSION

SESSION = {
    "role": "operator",
    "name": "main",
    "expires": 1802992000.0,
    "version": VERSION,
    "launcher": "compose",
}
BY_PROMETHEUS: dict[str, Any] = {
    "processingRate": 199.2,
    "avgLatency": 0.094,
    "queueDepth": 3,
    "latency": {"p50": 0.081, "p95": 0.152, "p99": 0.21},
    "notComputed": 0.0,
    "errors": 0.0,
    "failedByReason": {"not_json": 0.0},
    "nodes": [{"node_id": "a1b2c3", "fps": 99.6, "busy": 0.71, "p95": 0.0061}],
    "workers": 1,
    "source": dict.fromkeys(
        ("processingRate", "avgLatency", "queueDepth", "latency", "notComputed", "errors", "nodes"),
        "prometheus",
    ),
    "time": 1795216000.2,
    "starting": False,
    "objectives": {"latencyP95": 0.5, "queueDepth": 300, "notComputed": 0.01, "errors": 0},
    "notices": [],
    "canary": None,
    "prometheus": {"error": None, "since": None},
}
BY_ITSELF: dict[str, Any] = {
    **BY_PROMETHEUS,
    "failedByReason": {},
    "source": dict.fromkeys(BY_PROMETHEUS["source"], "gateway"),
    "prometheus": {"error": "Prometheus cannot be reached: Connection refused", "since": 1795215980.0},
}
HISTORY: dict[str, Any] = {
    "step": 5,
    "source": "prometheus",
    "series": {
        "processingRate": [[1795215995.0, 198.4], [1795216000.0, 199.2]],
        "latencyP50": [[1795215995.0, 0.08], [1795216000.0, 0.081]],
        "latencyP95": [[1795215995.0, 0.15], [1795216000.0, 0.152]],
        "queueDepth": [[1795215995.0, 2.0], [1795216000.0, 3.0]],
        "notComputed": [[1795215995.0, None], [1795216000.0, 0.0]],
        "errors": [[1795215995.0, 0.0], [1795216000.0, 0.0]],
    },
    "queries": {"processingRate": "sum(rate(cv_frames_processed_total[1m]))"},
}


def api_router(board: FigureBoard, launcher: Launcher | None) -> APIRouter:
    """Routes under /api that read and change nothing."""
    router = APIRouter(prefix="/api", tags=["Cluster"])

    @router.get(
        "/session",
        response_model=SessionView,
        responses=answer("Role, and until when.", SESSION),
        operation_id="get_session",
        summary="Who is asking",
        tags=["Session"],
    )
    async def session(request: Request) -> Response:
        """The role of the token or of the browser's session; `expires` is null for programs."""
        identity = identity_of(request.scope)
        return json_response(SessionView(identity.role, identity.name, identity.expires, VERSION, launcher))

    @router.get(
        "/metrics",
        response_model=MetricsView,
        responses=answers(
            "The figures.", {"from Prometheus": BY_PROMETHEUS, "Prometheus does not answer": BY_ITSELF}
        ),
        operation_id="get_metrics",
        summary="Figures of the cluster, now",
    )
    async def metrics() -> Response:
        """Frames a second over the last ten seconds, frames that wait; over the last minute seconds from capture to
        result, the share dropped or expired, failures a second. `source` says of each where it comes from.

        Where Prometheus has nothing of the last ten seconds, or not all of the last minute, it is what this gateway
        itself has seen: the same figure over the same window. Null: nothing is known.
        """
        return json_response(await board.metrics())

    @router.get(
        "/metrics/history",
        response_model=HistoryView,
        responses=answer("The figures over time.", HISTORY),
        operation_id="get_metrics_history",
        summary="Figures of the cluster, over time",
    )
    async def history(
        seconds: Annotated[
            int, Query(ge=60, le=7 * 86_400, description="how far back; without Prometheus an hour at most")
        ] = 900,
    ) -> Response:
        """The last `seconds`, in about 180 steps of `step` seconds; value null where nothing is known."""
        return json_response(await board.history(seconds))

    return router
