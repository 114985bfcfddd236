"""What the history's routes are asked with: the types of their parameters, and what FastAPI says of wrong ones."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BeforeValidator, WithJsonSchema
from starlette.exceptions import HTTPException

from contract.identifiers import CAMERA_ID_SCHEMA
from gateway.history.filters import MAX_EVENT_ID, Cursor, EventFilter, parse_cursor
from gateway.http.documented import errors
from gateway.times import parse_time

FURTHEST = 1e11
CURSOR_PATTERN = r"^(-?\d{1,15}(\.\d{1,20})?(e[+-]?\d{1,2})?~\d{1,18})?$"
NO_CURSOR = "`cursor` must be the `next` of the page before"
TWISTED = "`from` is later than `to`"
ERRORS = errors({400: TWISTED, 503: "the history is busy: try again in a moment"})


def _time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        moment = parse_time(value)
    except (ValueError, OverflowError):
        raise ValueError("a time is Unix seconds, or like 2026-11-25T12:00:00Z") from None
    if abs(moment) > FURTHEST:
        raise ValueError("a time is in seconds, not milliseconds")
    return moment


SECONDS = {"type": "number", "minimum": -FURTHEST, "maximum": FURTHEST}
Moment = Annotated[
    float | None,
    BeforeValidator(_time),
    WithJsonSchema({"anyOf": [SECONDS, {"type": "string", "format": "date-time"}]}),
]
CameraIds = Annotated[
    list[Annotated[str, Query(pattern=CAMERA_ID_SCHEMA)]],
    Query(alias="camera", max_length=100, description="only these cameras: `camera=a&camera=b`, at most 100"),
]
Group = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="only cameras that were of this group when it began",
    ),
]
Since = Annotated[
    Moment, Query(alias="from", description="what ended before is left out: Unix seconds or RFC 3339")
]
Until = Annotated[
    Moment, Query(alias="to", description="what began later is left out: Unix seconds or RFC 3339")
]
MinFaces = Annotated[
    int, Query(ge=1, le=100_000, description="only with so many detections at once, or more")
]
MinConfidence = Annotated[
    float,
    Query(ge=0, le=1, allow_inf_nan=False, description="only with a detection of this confidence, or better"),
]
EventId = Annotated[int, Path(ge=1, le=MAX_EVENT_ID, description="`event_id` of an event")]


def event_filter(
    camera: CameraIds = [],  # noqa: B006  # FastAPI's way; never changed
    group: Group = None,
    since: Since = None,
    until: Until = None,
    min_faces: MinFaces = 1,
    min_confidence: MinConfidence = 0.0,
) -> EventFilter:
    """The filters that pages and exports of events have in common."""
    check_span(since, until)
    return EventFilter(distinct(camera), group, since, until, min_faces, min_confidence)


def check_span(since: float | None, until: float | None) -> None:
    """Raises HTTPException 400 for a span that ends before it begins."""
    if since is not None and until is not None and since > until:
        raise HTTPException(400, TWISTED)


def distinct(cameras: Sequence[str]) -> tuple[str, ...]:
    """Each camera once."""
    return tuple(dict.fromkeys(cameras))


def read_cursor(text: str) -> Cursor | None:
    """The cursor of a request; None for an empty one. Raises HTTPException 400."""
    try:
        return parse_cursor(text) if text else None
    except ValueError:
        raise HTTPException(400, NO_CURSOR) from None


def now() -> float:
    """The time of the answer, in Unix seconds."""
    return time.time()
