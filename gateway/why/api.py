"""GET /api/why: what became of a frame and why, and GET /api/events/{event_id}/why: the same of an event's picture."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.api.why import WhyView
from gateway.history.parameters import ERRORS, EventId
from gateway.http.documentation import answer, answers, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import identity_of
from gateway.why.inquiry import Inquiry

MAX_ASKED = 1_000
"""A sender's message_id may be longer than what is kept of it."""
COMPUTED: dict[str, Any] = {
    "frame_id": "gate-3:1795210000000:4711",
    "camera_id": "gate-3",
    "verdict": "computed",
    "words": "Worker a1b2c3 computed it 0.0353 s after its capture: 2 detections by yunet@ebafce4e.",
    "reason": None,
    "remedy": None,
    "hops": [
        {"hop": "captured", "time": 1795216000.123, "seconds": 0.0},
        {"hop": "queued", "time": 1795216000.154, "seconds": 0.0312, "detail": "until a worker took it"},
        {"hop": "computed", "time": 1795216000.158, "seconds": 0.0353, "node_id": "a1b2c3"},
        {"hop": "recorded", "time": 1795216000.401, "seconds": 0.2783},
    ],
    "witnesses": [
        {"place": "history", "state": "found", "words": "its result is kept"},
        {"place": "dead_letters", "state": "nothing", "words": "none of the 3 dead letters is of this frame"},
    ],
    "links": [{"name": "Live camera", "href": "/?camera=gate-3"}],
}
UNKNOWN: dict[str, Any] = {
    "frame_id": "gate-3:1795210000000:4712",
    "camera_id": "gate-3",
    "verdict": "unknown",
    "words": "Nobody has seen it: it still waits or is being computed, or it was never confirmed to its sender.",
    "reason": "not_seen",
    "remedy": "Ask again in some seconds.",
    "hops": [],
    "witnesses": [
        {"place": "history", "state": "nothing", "words": "no result of this frame is kept"},
        {"place": "queues", "state": "found", "words": "frame_queue holds 12 frames"},
    ],
    "links": [],
}
NO_PICTURE = "there is no event 17, or it has no picture"


def why_router(inquiry: Inquiry) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    @router.get(
        "/why",
        response_model=WhyView,
        responses=answers("The verdict.", {"computed": COMPUTED, "nobody has seen it": UNKNOWN}),
        operation_id="explain_frame",
        summary="Why a frame was computed or not",
    )
    async def explain(
        request: Request,
        frame_id: Annotated[
            str,
            Query(
                min_length=1,
                max_length=MAX_ASKED,
                description="the frame's id, or a dead letter's",
                examples=["gate-3:1795210000000:4711"],
            ),
        ],
    ) -> Response:
        """The verdict on a frame with its way, hop by hop, or the exact reason why it was not computed, and what each
        place that was asked said. Of a frame that nobody knows: what surrounds it. Dead letters are told to operators.
        """
        return json_response(await inquiry.ask(identity_of(request.scope), frame_id))

    @router.get(
        "/events/{event_id}/why",
        response_model=WhyView,
        responses=answer("The verdict.", COMPUTED) | errors({404: NO_PICTURE}),
        operation_id="explain_event",
        summary="The way of an event's picture",
    )
    async def explain_event(request: Request, event_id: EventId) -> Response:
        """The same of the frame that the event's picture is of."""
        identity = identity_of(request.scope)
        frame_id = await inquiry.pictured(identity, event_id)
        if frame_id is None:
            return problem(404, "not_found", f"there is no event {event_id}, or it has no picture")
        return json_response(await inquiry.ask(identity, frame_id))

    return router
