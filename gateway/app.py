"""The HTTP application, put together from routers and what stands before them."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from gateway.attendance.notes import NotedVisitors
from gateway.attendance.register import AttendanceRegister
from gateway.http import openapi, problems
from gateway.http.counting import CountedRequests
from gateway.http.deadline import Deadline
from gateway.http.prefix import PathPrefix
from gateway.http.routes import take
from gateway.http.strict import Strict
from gateway.metrics import GatewayMetrics
from gateway.pages import Assets
from gateway.security.access import Access
from gateway.security.auth import Authenticator
from gateway.security.bodies import BoundedBodies
from gateway.security.headers import SecurityHeaders
from gateway.security.proxies import ForwardedClient
from gateway.security.refusals import Refusals
from gateway.security.shares import FairShares, LoopShares
from gateway.security.turnstile import Turnstile
from gateway.settings import GatewaySettings
from runtime.version import VERSION


def create_app(
    settings: GatewaySettings,
    authenticator: Authenticator,
    metrics: GatewayMetrics,
    turnstile: Turnstile,
    refusals: Refusals,
    register: AttendanceRegister,
    routers: Iterable[APIRouter],
) -> FastAPI:
    """All routes behind the access check. The first that matches answers, so the dashboard's comes last."""
    app = FastAPI(
        title="Framefleet gateway",
        version=VERSION,
        openapi_url="/api/openapi.json",
        servers=[{"url": settings.prefix}] if settings.prefix else None,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        middleware=_before_the_routes(settings, authenticator, metrics, turnstile, refusals, register),
    )
    problems.install(app)
    openapi.install(app)
    app.mount("/assets", Assets(directory=settings.dashboard_dir / "assets", check_dir=False))
    for router in routers:
        take(app.router, router)
    return app


def _before_the_routes(
    settings: GatewaySettings,
    authenticator: Authenticator,
    metrics: GatewayMetrics,
    turnstile: Turnstile,
    refusals: Refusals,
    register: AttendanceRegister,
) -> list[Middleware]:
    """From the outside in."""
    return [
        *([Middleware(PathPrefix, prefix=settings.prefix)] if settings.prefix else []),
        Middleware(CountedRequests, metrics=metrics),
        Middleware(ForwardedClient, trusted=settings.proxies, public_url=settings.public_url),
        Middleware(SecurityHeaders),
        Middleware(BoundedBodies, metrics=metrics),
        Middleware(Access, authenticator=authenticator, origins=settings.origins, metrics=metrics),
        Middleware(NotedVisitors, register=register),
        Middleware(FairShares, requests=settings.max_connections_per_address, metrics=metrics),
        Middleware(LoopShares, turnstile=turnstile, refusals=refusals),
        Middleware(Strict),
        Middleware(Deadline),
    ]
