"""GET /api/activity: how busy it was, in steps of minutes."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection, Row, bindparam, text
from starlette.responses import Response

from contract.api.history import ActivityPointView, ActivityView
from gateway.history.activity import ALL, MINUTE
from gateway.history.parameters import ERRORS, SpanParameters, check_span, now
from gateway.history.readers import Readers
from gateway.http.documentation import answer
from gateway.http.problems import json_response, problem
from gateway.security.access import Asker

MAX_POINTS = 1_500
MAX_STEP = 86_400
EXAMPLE = {
    "step": 3600,
    "items": [{"time": 1795215600.0, "frames": 71990, "with_detections": 1204, "faces": 5, "expired": 10}],
}
_SUMS = text(
    "SELECT minute / :step * :step AS begin, sum(frames) AS frames, sum(with_detections) AS with_detections, "
    "max(faces) AS faces, sum(expired) AS expired FROM activity "
    "WHERE camera_id IN :cameras AND minute >= :since AND minute <= :until GROUP BY 1 ORDER BY 1"
).bindparams(bindparam("cameras", expanding=True))


class ActivityParameters(SpanParameters):
    """Steps of activity."""

    step: int = Field(
        MINUTE, ge=MINUTE, le=MAX_STEP, multiple_of=MINUTE, description="seconds, whole minutes"
    )


def activity_router(readers: Readers) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["History"], responses=ERRORS)

    @router.get(
        "/activity",
        response_model=ActivityView,
        responses=answer("The steps.", EXAMPLE),
        operation_id="get_activity",
        summary="Activity over time",
    )
    async def activity(
        asked: Annotated[ActivityParameters, Query()],
        holders: Asker,
    ) -> Response:
        """Frames and detections over time, summed over the cameras named (none: all); the last day unless said."""
        step = asked.step
        end = now() if asked.until is None else asked.until
        begin = end - 86_400 if asked.since is None else asked.since
        check_span(begin, end)
        if (end - begin) / step > MAX_POINTS:
            return problem(400, "bad_data", _too_many(end - begin))
        rows = await readers.ask(
            holders, "activity", lambda connection: sums(connection, asked.cameras, begin, end, step)
        )
        points = [
            ActivityPointView(
                float(row.begin), int(row.frames), int(row.with_detections), row.faces, int(row.expired)
            )
            for row in rows
        ]
        return json_response(ActivityView(step, points))

    return router


def sums(
    connection: Connection, cameras: Sequence[str], since: float, until: float, step: int
) -> Sequence[Row[Any]]:
    """A row per step in which something came; steps begin at whole multiples of their length."""
    given = {
        "cameras": list(cameras) or [ALL],
        "since": math.floor(since / MINUTE) * MINUTE,
        "until": math.floor(until),
        "step": step,
    }
    return connection.execute(_SUMS, given).all()


def _too_many(span: float) -> str:
    enough = math.ceil(span / MAX_POINTS / MINUTE) * MINUTE
    if enough > MAX_STEP:
        return f"more than {MAX_POINTS:,} points: the largest step is {MAX_STEP}, ask for a shorter time"
    return f"more than {MAX_POINTS:,} points: step={enough} would do"
