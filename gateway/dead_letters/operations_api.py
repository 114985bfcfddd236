"""/api/dlq/operations: replays and purges, told before they begin, followed, and on record."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from broker import BrokerError
from contract.api.dead_letters import DeadLetterOperationsView, DeadLetterOperationView
from gateway.dead_letters.api import AWAY, told
from gateway.dead_letters.operations import Operations
from gateway.dead_letters.parameters import ID_PATTERN, OperationParameters
from gateway.dead_letters.reader import DeadLetterReader
from gateway.dead_letters.records import MAX_RECORDS
from gateway.errors import CannotKeep, NoSuchOperation, NothingMatches, OperationUnderWay
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import address_of, identity_of

PROPOSED: dict[str, Any] = {
    "operation_id": "9c1d22f0a7b3",
    "kind": "replay",
    "state": "proposed",
    "summary": "Replay 12 frames of gate-3 to frame_queue.batch",
    "notes": ["No worker takes frames from frame_queue.batch now: the frames wait there until one does."],
    "count": 12,
    "size": 612_000,
    "queues": {"frame_queue.batch": 12},
    "lane": None,
    "fresh": False,
    "by": "main",
    "address": "",
    "created": 1795216000.2,
    "started": None,
    "ended": None,
    "done": 0,
    "gone": 0,
    "trouble": "",
    "died_again": None,
}
RUNNING: dict[str, Any] = {
    **PROPOSED,
    "state": "running",
    "address": "10.0.0.7",
    "started": 1795216004.0,
    "done": 3,
}
LIST = {"items": [RUNNING], "kept": 500}
OVER = errors(
    {404: "there is no proposal 9c1d22f0a7b3: it was confirmed already, or is older than ten minutes"}
)
OperationId = Annotated[
    str, Path(pattern=ID_PATTERN, description="the operation's id", examples=["9c1d22f0a7b3"])
]


def operations_router(operations: Operations, reader: DeadLetterReader) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/dlq/operations", tags=["Cluster"])

    @router.get(
        "",
        response_model=DeadLetterOperationsView,
        responses=answer("Newest first.", LIST),
        operation_id="list_dead_letter_operations",
        summary="Replays and purges",
    )
    async def listed() -> Response:
        """What runs and what was done by way of this gateway: who, what, how many, when. Without `framefleet dlq`."""
        look = None
        try:
            look = await reader.read()
        except BrokerError:  # then nobody knows which died again
            look = None
        return json_response(DeadLetterOperationsView(operations.views(look), MAX_RECORDS))

    @router.post(
        "",
        response_model=DeadLetterOperationView,
        responses=answer("What it would do.", PROPOSED)
        | AWAY
        | errors({404: "none of the 12 dead letters that were looked at matches: they are gone already"}),
        operation_id="propose_dead_letter_operation",
        summary="Ask what a replay or purge would do",
    )
    async def propose(request: Request, asked: Annotated[OperationParameters, Query()]) -> Response:
        """Nothing is changed yet: the answer says in numbers what it will do, to exactly the letters that are there
        now. Confirm it within ten minutes.
        """
        meant = asked.selection()
        if meant.empty and not asked.all:
            return problem(
                422, "bad_data", "say which dead letters: id, group, reason, camera, sender, or all=true"
            )
        if asked.kind == "purge" and (asked.fresh or asked.lane is not None):
            return problem(422, "bad_data", "lane and fresh are for a replay: leave them out of a purge")
        by = identity_of(request.scope).name
        try:
            view = await told(
                operations.propose(asked.kind, meant, lane=asked.lane, fresh=asked.fresh, by=by)
            )
        except NothingMatches as error:
            return problem(404, "not_found", str(error))
        return json_response(view)

    @router.post(
        "/{operation_id}",
        response_model=DeadLetterOperationView,
        responses=answer("It has begun.", RUNNING)
        | OVER
        | errors(
            {409: "another one is under way", 503: "nothing was changed, because it cannot be written down"}
        ),
        operation_id="confirm_dead_letter_operation",
        summary="Begin a replay or purge",
    )
    async def confirm(request: Request, operation_id: OperationId) -> Response:
        """Do what was proposed. It is written down first, and goes on when the browser is closed."""
        by, address = identity_of(request.scope).name, address_of(request.scope)
        try:
            return json_response(await operations.confirm(operation_id, by=by, address=address))
        except NoSuchOperation as error:
            return problem(404, "not_found", str(error))
        except OperationUnderWay as error:
            return problem(409, "under_way", str(error))
        except CannotKeep as error:
            words = f"nothing was changed: it cannot be written down in GATEWAY_DATA_DIR ({error}); make room there"
            return problem(503, "unavailable", words)

    @router.delete(
        "/{operation_id}",
        response_model=DeadLetterOperationView,
        responses=answer("It begins with no further letter.", {**RUNNING, "trouble": "stopped by main"})
        | OVER,
        operation_id="stop_dead_letter_operation",
        summary="Stop a replay or purge",
    )
    async def stop(request: Request, operation_id: OperationId) -> Response:
        """What is under way is finished; the others stay dead letters."""
        try:
            view = operations.stop(
                operation_id, by=identity_of(request.scope).name, address=address_of(request.scope)
            )
        except NoSuchOperation as error:
            return problem(404, "not_found", str(error))
        return json_response(view)

    return router
