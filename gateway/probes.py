"""/livez and /readyz, the paths that need no token."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from contract.api.service import StatusView
from gateway.http.documentation import answer
from gateway.http.problems import json_response
from gateway.readiness import Readiness
from gateway.shared_state import SharedState

NOT_READY: dict[str, Any] = {
    "model": StatusView,
    "description": "It cannot.",
    "content": {
        "application/json": {
            "example": {
                "status": "not ready",
                "missing": ["RabbitMQ: the connection to the broker is lost (connection refused)"],
            }
        }
    },
}


def probes_router(readiness: Readiness, shared: SharedState) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["Probes"])

    @router.get(
        "/livez",
        response_model=StatusView,
        responses=answer("It does.", {"status": "alive"}),
        operation_id="livez",
        summary="Whether the process answers",
    )
    async def livez() -> Response:
        """The process's own word: nothing else is asked."""
        return json_response({"status": "alive"})

    @router.get(
        "/readyz",
        response_model=StatusView,
        responses=answer("It can.", {"status": "ready"}) | {503: NOT_READY},
        operation_id="readyz",
        summary="Whether it can do its work",
    )
    async def readyz() -> Response:
        """Connected to RabbitMQ, and able to keep the history; if not, `missing` says what is missing.
        `notes` say what works less well: a Redis that is away, while everything else goes on.
        """
        if lacks := readiness.missing():
            return json_response({"status": "not ready", "missing": lacks}, 503)
        notes = shared.notes()
        return json_response({"status": "ready", **({"notes": notes} if notes else {})})

    return router
