"""The HTTP application, put together from its routers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response

from gateway import problems
from gateway.access import Access
from gateway.api import api_router
from gateway.auth import Authenticator
from gateway.bodies import BoundedBodies
from gateway.cameras import Cameras
from gateway.dead_letters import DeadLetterReader, dead_letters_router
from gateway.figures import FigureBoard
from gateway.headers import SecurityHeaders
from gateway.history.api import history_router
from gateway.history.reading import Readers
from gateway.links import links_router
from gateway.login import login_router
from gateway.metrics import GatewayMetrics
from gateway.models.keeper import ModelKeeper
from gateway.models_api import models_router
from gateway.nodes import Nodes
from gateway.pages import Assets, pages_router
from gateway.prometheus import Prometheus
from gateway.prometheus_proxy import proxy_router
from gateway.proxies import Proxied, TrustedProxies
from gateway.shares import FairShares
from gateway.websocket import ResultsSocket
from runtime.version import VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes answer from. `missing` names what the gateway lacks to do its work."""

    authenticator: Authenticator
    origins: frozenset[str]
    public_url: str
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
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
    )
    problems.install(app)
    # From the inside out: the one added last is around the others.
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

    @app.get("/livez", tags=["Probes"])
    async def livez() -> Response:
        """Whether the process answers."""
        return problems.json_response({"status": "alive"})

    @app.get("/readyz", tags=["Probes"], responses={503: {}})
    async def readyz() -> Response:
        """Whether it can do its work; if not, what is missing."""
        if lacks := parts.missing():
            return problems.json_response({"status": "not ready", "missing": lacks}, 503)
        return problems.json_response({"status": "ready"})

    app.add_api_websocket_route("/ws/results", parts.socket.serve)
    app.include_router(login_router(parts.authenticator, parts.socket.end, parts.dashboard, parts.metrics))
    app.include_router(links_router(parts.authenticator, parts.public_url))
    app.include_router(api_router(parts.board, parts.cameras, parts.nodes, parts.expected_workers))
    app.include_router(models_router(parts.models, parts.nodes))
    app.include_router(dead_letters_router(parts.dead_letters))
    app.include_router(history_router(parts.history, parts.dead_letters, parts.history_gap))
    app.include_router(proxy_router(parts.prometheus))
    app.mount("/assets", Assets(directory=parts.dashboard / "assets", check_dir=False))
    app.include_router(pages_router(parts.dashboard, parts.authenticator))
    return app
