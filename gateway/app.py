"""The HTTP application, put together from its routers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from contract.api.service import StatusView
from gateway.api import api_router
from gateway.cameras.api import cameras_router
from gateway.cameras.cameras import Cameras
from gateway.dead_letters import DeadLetterReader, dead_letters_router
from gateway.figures import FigureBoard
from gateway.history.api import history_router
from gateway.history.reading import Readers
from gateway.http import openapi, problems
from gateway.http.below import Below
from gateway.http.deadline import Deadline
from gateway.http.documented import answer
from gateway.http.strict import Strict
from gateway.live.websocket import ResultsSocket
from gateway.metrics import GatewayMetrics
from gateway.models.api import models_router
from gateway.models.keeper import ModelKeeper
from gateway.nodes import Nodes
from gateway.pages import Assets, pages_router
from gateway.prometheus.client import Prometheus
from gateway.prometheus.proxy import proxy_router
from gateway.security.access import Access
from gateway.security.auth import Authenticator
from gateway.security.bodies import BoundedBodies
from gateway.security.headers import SecurityHeaders
from gateway.security.links import links_router
from gateway.security.login import login_router
from gateway.security.proxies import Proxied, TrustedProxies
from gateway.security.shares import FairShares
from runtime.version import VERSION

NOT_READY: dict[str, Any] = {
    "model": StatusView,
    "description": "It cannot.",
    "content": {
        "application/json": {
            "example": {"status": "not ready", "missing": ["RabbitMQ: waiting (Connection refused)"]}
        }
    },
}

NO_UPGRADE = (
    "this is a WebSocket, and the request came without Upgrade: connect with ws:// or wss://; a proxy between must use "
    "HTTP/1.1 and pass the headers Upgrade and Connection on (docs/security.md)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes answer from. `missing` names what the gateway lacks to do its work."""

    authenticator: Authenticator
    origins: frozenset[str]
    public_url: str
    prefix: str
    published_url: str
    proxies: TrustedProxies
    viewers_per_address: int
    connections_per_address: int
    metrics: GatewayMetrics
    socket: ResultsSocket
    board: FigureBoard
    cameras: Cameras
    nodes: Nodes
    models: ModelKeeper
    prometheus: Prometheus | None
    dead_letters: DeadLetterReader
    history: Readers
    history_gap: float
    dashboard: Path
    expected_workers: int | None
    missing: Callable[[], list[str]]


def create_app(parts: Parts) -> FastAPI:
    """All routes behind the access check; the dashboard answers what no other route does."""
    app = FastAPI(
        title="Framefleet gateway",
        version=VERSION,
        openapi_url="/api/openapi.json",
        servers=[{"url": parts.prefix}] if parts.prefix else None,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # unless a route says otherwise
    )
    problems.install(app)
    openapi.install(app)
    # From the inside out: the one added last is around the others.
    app.add_middleware(Deadline)
    app.add_middleware(Strict)
    app.add_middleware(
        FairShares,
        viewers=parts.viewers_per_address,
        requests=parts.connections_per_address,
        metrics=parts.metrics,
    )
    app.add_middleware(
        Access, authenticator=parts.authenticator, origins=parts.origins, metrics=parts.metrics
    )
    app.add_middleware(BoundedBodies, metrics=parts.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Proxied, trusted=parts.proxies)
    if parts.prefix:
        app.add_middleware(Below, prefix=parts.prefix)

    @app.get(
        "/livez",
        tags=["Probes"],
        response_model=StatusView,
        responses=answer("It does.", {"status": "alive"}),
        operation_id="livez",
        summary="Whether the process answers",
    )
    async def livez() -> Response:
        """The process's own word: nothing else is asked."""
        return problems.json_response({"status": "alive"})

    @app.get(
        "/readyz",
        tags=["Probes"],
        response_model=StatusView,
        responses=answer("It can.", {"status": "ready"}) | {503: NOT_READY},
        operation_id="readyz",
        summary="Whether it can do its work",
    )
    async def readyz() -> Response:
        """Connected to RabbitMQ, and able to keep the history; if not, `missing` says what is missing."""
        if lacks := parts.missing():
            return problems.json_response({"status": "not ready", "missing": lacks}, 503)
        return problems.json_response({"status": "ready"})

    app.add_api_websocket_route("/ws/results", parts.socket.serve)

    @app.get("/ws/results", include_in_schema=False)
    async def without_upgrade() -> Response:
        """A WebSocket that lost its Upgrade on the way."""
        return problems.problem(426, "upgrade_required", NO_UPGRADE, {"Upgrade": "websocket"})

    app.include_router(login_router(parts.authenticator, parts.socket.end, parts.dashboard, parts.metrics))
    app.include_router(links_router(parts.authenticator, parts.public_url, parts.published_url))
    app.include_router(api_router(parts.board, parts.nodes, parts.expected_workers))
    app.include_router(cameras_router(parts.cameras))
    app.include_router(models_router(parts.models, parts.nodes))
    app.include_router(dead_letters_router(parts.dead_letters))
    app.include_router(history_router(parts.history, parts.dead_letters, parts.history_gap, parts.prefix))
    app.include_router(proxy_router(parts.prometheus))
    app.mount("/assets", Assets(directory=parts.dashboard / "assets", check_dir=False))
    app.include_router(pages_router(parts.dashboard, parts.authenticator))
    return app
