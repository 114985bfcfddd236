"""GET /api/frames/{frame_id}: what became of a frame, hop by hop."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from broker import BrokerError
from contract.api.history import FrameResultView, FrameView, HopView
from contract.dead_letters import DeadLetter
from gateway.dead_letters.reader import DeadLetterReader
from gateway.history.hops import hop_of_letter, hops_of_result
from gateway.history.parameters import ERRORS
from gateway.history.readers import Readers
from gateway.history.rows import MAX_ID
from gateway.history.tables import results
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import identity_of
from gateway.tokens.roles import needed_role, suffices

EXAMPLE = {
    "frame_id": "gate-3:1795210000000:4711",
    "camera_id": "gate-3",
    "outcome": "result",
    "hops": [
        {"hop": "captured", "time": 1795216000.123, "seconds": 0.0},
        {"hop": "queued", "time": 1795216000.154, "seconds": 0.0312, "detail": "until a worker took it"},
        {"hop": "computed", "time": 1795216000.158, "seconds": 0.0353, "node_id": "a1b2c3"},
        {"hop": "recorded", "time": 1795216000.401, "seconds": 0.2783},
    ],
    "result": None,
    "dead_letter": None,
}
NOWHERE = (
    "nothing is known of this frame: it may still be queued or computed (try again in a second), be older than the "
    "history or deleted from the dead letters (which operators see), or it was never confirmed to its sender"
)


def frames_router(readers: Readers, dead_letters: DeadLetterReader) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    @router.get(
        "/frames/{frame_id:path}",
        response_model=FrameView,
        responses=answer("What is known.", EXAMPLE) | errors({404: NOWHERE}),
        operation_id="get_frame",
        summary="What became of a frame",
    )
    async def frame(
        request: Request,
        frame_id: Annotated[
            str, Path(min_length=1, max_length=MAX_ID, pattern=r"^[^\x00]*$", description="the frame's id")
        ],
    ) -> Response:
        """Hop by hop, with ages: its result, why it was not computed, or its dead letter; or both. Dead letters are
        told to operators.
        """
        identity = identity_of(request.scope)
        row = await readers.ask(identity.holders, "frame", lambda connection: _result(connection, frame_id))
        letter = unread = None
        if suffices(identity.role, needed_role("GET", "/api/dlq")):
            letter, unread = await _dead_letter(dead_letters, frame_id)
        if row is None and letter is None:
            if unread is not None:
                return problem(503, "unavailable", unread, {"Retry-After": "5"})
            return problem(404, "not_found", NOWHERE)
        return json_response(view(row, letter))

    return router


def view(row: Row[Any] | None, letter: DeadLetter | None) -> FrameView:
    """What the two places say of one frame; at least one of them knows it."""
    hops = hops_of_result(row) if row is not None else []
    if letter is not None:
        if not hops and letter.timestamp is not None:
            hops.append(HopView("captured", letter.timestamp, 0.0))
        hops.append(hop_of_letter(letter))
    outcome = ("expired" if row.status == "expired" else "result") if row is not None else "dead_letter"
    known = row if row is not None else letter
    return FrameView(
        frame_id=getattr(known, "frame_id", ""),
        camera_id=getattr(known, "camera_id", None),
        outcome=outcome,  # type: ignore[arg-type]
        hops=hops,
        result=_result_view(row) if row is not None else None,
        dead_letter=letter,  # type: ignore[arg-type]  # its fields are those of the view
    )


def _result(connection: Connection, frame_id: str) -> Row[Any] | None:
    return connection.execute(select(results).where(results.c.frame_id == frame_id)).first()


async def _dead_letter(reader: DeadLetterReader, frame_id: str) -> tuple[DeadLetter | None, str | None]:
    """The dead letter of the frame; or why nobody could look."""
    try:
        look = await reader.read()
    except BrokerError as error:
        return None, str(error)
    return next((letter for letter in look.letters if letter.frame_id == frame_id), None), None


def _result_view(row: Row[Any]) -> FrameResultView:
    columns = {name: getattr(row, name) for name in FrameResultView.__dataclass_fields__}
    return FrameResultView(**(columns | {"detections": msgspec.json.decode(row.detections)}))
