"""/api/remote: what the remote lane does and costs, and an operator's say in it."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.api.remote import RemoteView
from contract.remote import DesiredRemote
from gateway.desired.refusals import refusal
from gateway.errors import CannotKeep, NotHeardYet
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.nodes import Nodes
from gateway.remote.keeper import RemoteKeeper
from gateway.remote.overview import NOBODY, overview
from gateway.security.access import asked_by
from runtime.logs import get_logger

log = get_logger("gateway")

EXAMPLE: dict[str, Any] = {
    "state": "held",
    "reason": "the budget ($5.00 for 2026-11-30) has not enough left for another call: frames wait until …",
    "waiting": 212,
    "workers": [
        {
            "node_id": "remote-1",
            "endpoint": "api.openai.com",
            "model": "gpt-4o-mini",
            "state": "held",
            "held_by": "budget",
            "reason": "the budget ($5.00 for 2026-11-30) has not enough left for another call: frames wait until …",
            "concurrency": 10,
            "calls": 3120,
            "errors": 41,
            "frame_most": 0.00078,
            "prices_changed": 1794300000.0,
        }
    ],
    "day": {
        "period": "2026-11-30",
        "spent": 4.9812,
        "uncertain": 0.0143,
        "reserved": 0.0,
        "limit": 5.0,
        "calls": 3120,
        "frames": 3079,
    },
    "month": {
        "period": "2026-11",
        "spent": 48.117,
        "uncertain": 0.2203,
        "reserved": 0.0,
        "limit": 100.0,
        "calls": 30411,
        "frames": 30004,
    },
    "warned": False,
    "warning": "",
    "raised": {},
}
REMOTE = answer("The remote lane.", EXAMPLE)
REFUSALS = errors(
    {
        404: NOBODY,
        503: "nothing was changed, because it cannot be kept in GATEWAY_DATA_DIR (disk full): make room there",
    }
)


def remote_router(keeper: RemoteKeeper, nodes: Nodes, waiting: Callable[[], int | None]) -> APIRouter:
    """The routes. `waiting` tells how many frames are in the lane's queue."""
    router = APIRouter(prefix="/api/remote", tags=["Cluster"])

    def view() -> RemoteView:
        return overview(nodes.statuses(time.monotonic()), keeper.desired, waiting())

    async def change(
        request: Request, deed: str, changed: Awaitable[DesiredRemote], **words: Any
    ) -> Response:
        try:
            await changed
        except (CannotKeep, NotHeardYet) as error:
            return refusal(error)
        log.info(deed, **words, **asked_by(request.scope))
        return json_response(view())

    @router.get(
        "",
        response_model=RemoteView,
        responses=REMOTE,
        operation_id="get_remote",
        summary="Show the remote lane and its money",
    )
    async def get_remote() -> Response:
        """What the workers of the remote lane do, why they wait, and what was spent this day and month."""
        return json_response(view())

    @router.post(
        "/pause",
        response_model=RemoteView,
        responses=REMOTE | REFUSALS,
        operation_id="pause_remote",
        summary="Pause the remote lane",
    )
    async def pause_remote(request: Request) -> Response:
        """Calls under way are finished, and no more are made: frames wait in the queue. Kept until it is resumed."""
        return await change(request, "the remote lane is paused", keeper.pause(True))

    @router.post(
        "/resume",
        response_model=RemoteView,
        responses=REMOTE | REFUSALS,
        operation_id="resume_remote",
        summary="Let the remote lane go on",
    )
    async def resume_remote(request: Request) -> Response:
        """The way back from a pause. A spent budget stays spent: raise it."""
        return await change(request, "the remote lane is resumed", keeper.pause(False))

    @router.post(
        "/raise",
        response_model=RemoteView,
        responses=REMOTE | REFUSALS,
        operation_id="raise_remote_budget",
        summary="Raise the budget of this day or month",
    )
    async def raise_remote_budget(
        request: Request,
        dollars: Annotated[float, Query(gt=0, le=10_000, description="by how much")],
        period: Annotated[Literal["day", "month"], Query(description="of which budget")] = "day",
    ) -> Response:
        """By so many dollars, for the day or month that it is now and for no other. The lane goes on within seconds."""
        now = view()
        spent = now.day if period == "day" else now.month
        if spent is None:
            return problem(404, "not_found", NOBODY)
        raised = keeper.add(spent.period, dollars)
        return await change(
            request, "the remote budget is raised", raised, period=spent.period, dollars=dollars
        )

    return router
