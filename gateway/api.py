"""The API's own questions: session, metrics, cameras, nodes, alerts."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.status import CameraState
from gateway.access import identity_of
from gateway.cameras import Cameras
from gateway.figures import FigureBoard
from gateway.nodes import Nodes
from gateway.problems import json_response
from gateway.views import (
    AlertsView,
    CamerasView,
    HistoryView,
    MetricsView,
    NodesView,
    ProblemView,
    SessionView,
)
from runtime.version import VERSION


def api_router(board: FigureBoard, cameras: Cameras, nodes: Nodes, expected_workers: int | None) -> APIRouter:
    """Routes under /api that read and change nothing."""
    router = APIRouter(prefix="/api", tags=["Framefleet"], responses={401: {"model": ProblemView}})

    @router.get("/session", response_model=SessionView)
    async def session(request: Request) -> Response:
        """Who is asking."""
        identity = identity_of(request.scope)
        return json_response(SessionView(identity.role, identity.name, identity.expires, VERSION))

    @router.get("/metrics", response_model=MetricsView)
    async def metrics() -> Response:
        """The cluster's figures over the last minute, each with its source. Null: nothing is known."""
        return json_response(await board.metrics())

    @router.get("/metrics/history", response_model=HistoryView)
    async def history(seconds: Annotated[int, Query(ge=60, le=7 * 86_400)] = 900) -> Response:
        """The figures of the last `seconds`, in about 180 steps."""
        return json_response(await board.history(seconds))

    @router.get("/cameras", response_model=CamerasView)
    async def list_cameras(
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        cursor: Annotated[str, Query(max_length=64, description="`next` of the page before")] = "",
        state: Annotated[CameraState | None, Query()] = None,
        q: Annotated[str, Query(max_length=64, description="part of the name")] = "",
    ) -> Response:
        """Cameras by name, a page at a time."""
        views = [
            view
            for view in cameras.views(time.monotonic())
            if (state is None or view.state == state) and q.lower() in view.camera_id.lower()
        ]
        rest = [view for view in views if view.camera_id > cursor]
        page = rest[:limit]
        following = page[-1].camera_id if len(rest) > limit else None
        return json_response(CamerasView(total=len(views), next=following, items=page))

    @router.get("/nodes", response_model=NodesView)
    async def list_nodes() -> Response:
        """Workers heard of in the last five minutes."""
        return json_response(NodesView(nodes.views(time.monotonic()), expected_workers))

    @router.get("/alerts", response_model=AlertsView)
    async def alerts() -> Response:
        """Prometheus' pending and firing alerts."""
        return json_response(await board.alerts())

    return router
