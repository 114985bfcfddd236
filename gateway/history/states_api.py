"""GET /api/cameras/{camera_id}/states: what state a camera was in, and why."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from contract.api.cameras import LoggedState, StateChangesView, StateChangeView
from contract.identifiers import CAMERA_ID_SCHEMA
from gateway.history import states
from gateway.history.parameters import ERRORS, Moment, check_span
from gateway.history.readers import Readers
from gateway.http.documentation import answer
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response
from gateway.security.access import Asker

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "time": 1795216000.1,
            "state": "offline",
            "reason": "connection refused: is the camera on?",
            "producer_id": "producer-1",
        },
        {"time": 1795210000.0, "state": "live", "reason": None, "producer_id": "producer-1"},
    ],
    "more": False,
}


class StatesParameters(QueryParameters):
    """A stretch of time."""

    since: Moment = Field(
        None, alias="from", description="Unix seconds or RFC 3339; unless said, all that is kept"
    )
    until: Moment = Field(None, alias="to", description="Unix seconds or RFC 3339")
    limit: int = Field(100, ge=1, le=1_000, description="how many at most")


def states_router(readers: Readers) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    @router.get(
        "/cameras/{camera_id}/states",
        response_model=StateChangesView,
        responses=answer("The changes.", EXAMPLE),
        operation_id="list_camera_states",
        summary="A camera's states over time",
    )
    async def list_states(
        camera_id: Annotated[str, Path(pattern=CAMERA_ID_SCHEMA, description="`camera_id` of a camera")],
        asked: Annotated[StatesParameters, Query()],
        holders: Asker,
    ) -> Response:
        """Changes of its state, or of the reason for it, newest first. Nothing for a camera that never was."""
        check_span(asked.since, asked.until)
        found = await readers.ask(
            holders,
            "states",
            lambda connection: states.changes(
                connection, camera_id, asked.since, asked.until, asked.limit + 1
            ),
        )
        items = [
            StateChangeView(row.time, cast(LoggedState, row.state), row.reason, row.producer_id)
            for row in found[: asked.limit]
        ]
        return json_response(StateChangesView(items, len(found) > asked.limit))

    return router
