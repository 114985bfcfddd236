"""/api/nodes: who works and how, and putting a worker out of work in order."""

import difflib
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.api.nodes import AbsentDrainView, GatewayView, NodesView, NodeView, WorkerView
from contract.drains import DesiredDrains, NodeDrain
from contract.identifiers import NODE_ID_PATTERN
from gateway.desired.refusals import refusal
from gateway.drains.keeper import DrainKeeper
from gateway.drains.remainder import NodePace, remainder
from gateway.errors import CannotKeep, NotHeardYet, TooManyDrains
from gateway.expected_workers import ExpectedWorkers
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.nodes import Nodes
from gateway.peers import Peers
from gateway.security.access import asked_by, identity_of
from gateway.statistics import Statistics
from runtime.logs import get_logger

log = get_logger("gateway")
MOST_LISTED = 20

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "node_id": "a1b2c3",
            "state": "running",
            "lane": "live",
            "model": "yunet@ebafce4e",
            "detector": "yunet",
            "fallback": None,
            "fps": 12.5,
            "busy": 0.71,
            "prefetch": 1,
            "since": 1795210000.0,
            "last_seen": 1795216000.1,
            "desired": 0,
            "model_error": None,
            "settled": True,
            "drain": None,
            "version": "0.1.0",
            "host": "rack-2",
            "memory": 231_000_000,
            "p95": 0.0061,
            "lacks": [],
            "without": {"workers": 1, "capacity": 17.4, "load": 24.1},
        }
    ],
    "expected": 2,
    "producers": [
        {
            "producer_id": "north",
            "state": "running",
            "cameras": 12,
            "fps": 24.0,
            "outstanding": 2,
            "window": 8,
            "since": 1795210000.0,
            "last_seen": 1795216000.1,
            "version": "0.1.0",
            "host": "rack-1",
            "memory": 180_000_000,
        }
    ],
    "gateways": [
        {
            "gateway_id": "rack-1-4711",
            "own": True,
            "state": "running",
            "since": 1795210000.0,
            "last_seen": 1795216000.2,
            "version": "0.1.0",
            "host": "rack-1",
            "memory": 142_000_000,
            "missing": [],
        }
    ],
    "absent": [{"node_id": "d4e5f6", "since": 1795100000.0, "by": "main"}],
}
NODES = answer("Everybody at work, by id.", EXAMPLE)
REFUSALS = errors(
    {
        404: "no worker a1b2c4 is heard: did you mean a1b2c3? heard are a1b2c3, d4e5f6",
        422: "worker a1b2c3 runs version 0.0.9, which cannot be drained: update it, or stop it (it loses no frame)",
        503: "nothing was changed, because it cannot be kept in GATEWAY_DATA_DIR (disk full): make room there",
    }
)
NodeParameter = Annotated[
    str, Query(pattern=NODE_ID_PATTERN.replace(r"\Z", "$"), description="the worker's node_id")
]


def nodes_router(
    nodes: Nodes,
    peers: Peers,
    drains: DrainKeeper,
    statistics: Statistics,
    own: Callable[[], GatewayView],
    expected: ExpectedWorkers,
) -> APIRouter:
    """The routes. `own` is the gateway that answers."""
    router = APIRouter(prefix="/api/nodes", tags=["Cluster"])

    def view() -> Response:
        now, wall = time.monotonic(), time.time()
        views = nodes.views(now)
        paces = {node.node_id: NodePace(*nodes.pace(node.node_id)) for node in views}
        p95 = statistics.figures(wall).node_p95
        workers = [
            WorkerView(
                **{each.name: getattr(node, each.name) for each in fields(NodeView)},
                p95=p95.get(node.node_id),
                lacks=[lack for lack in (node.fallback, node.model_error) if lack is not None],
                without=remainder(node, views, paces),
            )
            for node in views
        ]
        known = {node.node_id for node in views}
        absent = [
            AbsentDrainView(name, drain.since, drain.by)
            for name, drain in sorted(drains.desired.nodes.items())
            if name not in known
        ]
        return json_response(
            NodesView(workers, expected.number, peers.producers(now), peers.gateways(now, own()), absent)
        )

    async def change(request: Request, node: str, deed: str, changed: Awaitable[DesiredDrains]) -> Response:
        try:
            await changed
        except TooManyDrains as error:
            return problem(422, "bad_data", f"{error}: undrain those that are gone")
        except (CannotKeep, NotHeardYet) as error:
            return refusal(error)
        log.info(deed, node_id=node, **asked_by(request.scope))
        return view()

    @router.get(
        "",
        response_model=NodesView,
        responses=NODES,
        operation_id="list_nodes",
        summary="List workers, producers and gateways",
    )
    async def list_nodes() -> Response:
        """Those heard of in the last five minutes; `lost` after six seconds of silence, a gateway after ten. `absent`
        are workers that are to stay out of work and are not heard. `expected` is GATEWAY_EXPECTED_WORKERS, or what
        its file says.
        """
        return view()

    @router.post(
        "/drain",
        response_model=NodesView,
        responses=NODES | REFUSALS,
        operation_id="drain_node",
        summary="Put a worker out of work",
    )
    async def drain_node(request: Request, node: NodeParameter) -> Response:
        """The worker finishes and acknowledges the frames that it has and takes no more; it goes on running. No frame
        is lost or delivered twice. Kept until it is undrained, also when the worker or the gateway is restarted.
        `without` of a worker says beforehand what remains.
        """
        status = nodes.status(node)
        if status is None and node not in drains.desired.nodes:
            known = [each.node_id for each in nodes.views(time.monotonic())]
            words = f"no worker {node} is heard: {_near(node, known)}{_heard(known)}"
            return problem(404, "not_found", words)
        if status is not None and status.drains is None:
            words = f"worker {node} runs version {status.version}, which cannot be drained"
            return problem(422, "bad_data", f"{words}: update it, or stop it (it loses no frame)")
        drain = NodeDrain(since=round(time.time(), 3), by=identity_of(request.scope).name)
        return await change(request, node, "a worker is drained", drains.drain(node, drain))

    @router.post(
        "/undrain",
        response_model=NodesView,
        responses=NODES | REFUSALS,
        operation_id="undrain_node",
        summary="Let a worker take frames again",
    )
    async def undrain_node(request: Request, node: NodeParameter) -> Response:
        """The way back from a drain, also for a worker that is not there any more."""
        if node not in drains.desired.nodes:
            known = list(drains.desired.nodes)
            words = f"worker {node} is not drained: {_near(node, known)}{_list(known)}"
            return problem(404, "not_found", words)
        return await change(request, node, "a worker is undrained", drains.undrain(node))

    return router


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}? " if close else ""


def _heard(known: list[str]) -> str:
    if not known:
        return "none is at all"
    return f"heard are {', '.join(known)}" if len(known) <= MOST_LISTED else "GET /api/nodes lists all"


def _list(known: list[str]) -> str:
    return f"drained are {', '.join(sorted(known)[:MOST_LISTED])}" if known else "no worker is"
