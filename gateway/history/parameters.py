"""What the history's routes are asked with: the types of their parameters, and what FastAPI says of wrong ones."""

import time
from typing import Annotated, Any

from fastapi import Path
from pydantic import BeforeValidator, Field, WithJsonSchema
from starlette.exceptions import HTTPException

from contract.identifiers import CAMERA_ID_SCHEMA
from gateway.history.filters import MAX_EVENT_ID, Cursor, EventFilter, FeedbackFilter, parse_cursor
from gateway.http.documentation import errors
from gateway.http.parameters import QueryParameters
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
EventId = Annotated[int, Path(ge=1, le=MAX_EVENT_ID, description="`event_id` of an event")]


class SpanParameters(QueryParameters):
    """A stretch of time, and cameras."""

    camera: list[Annotated[str, Field(pattern=CAMERA_ID_SCHEMA)]] = Field(
        [], max_length=100, description="only these cameras: `camera=a&camera=b`, at most 100"
    )
    since: Moment = Field(
        None, alias="from", description="what ended before is left out: Unix seconds or RFC 3339"
    )
    until: Moment = Field(
        None, alias="to", description="what began later is left out: Unix seconds or RFC 3339"
    )

    @property
    def cameras(self) -> tuple[str, ...]:
        """Each camera once."""
        return tuple(dict.fromkeys(self.camera))

    def check(self) -> None:
        """Raise HTTPException 400 for a span that ends before it begins."""
        check_span(self.since, self.until)


MinConfidence = Annotated[
    float,
    Field(ge=0, le=1, allow_inf_nan=False, description="only with a detection of this confidence, or better"),
]


class EventParameters(SpanParameters):
    """The filters that pages and exports of events have in common."""

    group: str | None = Field(
        None,
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="only cameras that were of this group when it began",
    )
    min_faces: int = Field(
        1, ge=1, le=100_000, description="only with so many detections at once; 1: all, of motion alone too"
    )
    min_confidence: MinConfidence = 0.0
    seen: bool | None = Field(
        None, description="true: only what somebody has seen; false: only what nobody has"
    )
    feedback: FeedbackFilter | None = Field(None, description="only with this feedback; any: with either")

    def filter(self) -> EventFilter:
        """What is asked for. Raises HTTPException 400 for a span that ends before it begins."""
        self.check()
        return EventFilter(
            self.cameras,
            self.group,
            self.since,
            self.until,
            self.min_faces,
            self.min_confidence,
            self.seen,
            self.feedback,
        )


def check_span(since: float | None, until: float | None) -> None:
    """Raise HTTPException 400 for a span that ends before it begins."""
    if since is not None and until is not None and since > until:
        raise HTTPException(400, TWISTED)


def read_cursor(text: str) -> Cursor | None:
    """The cursor of a request; None for an empty one. Raises HTTPException 400."""
    try:
        return parse_cursor(text) if text else None
    except ValueError:
        raise HTTPException(400, NO_CURSOR) from None


def now() -> float:
    """The time of the answer, in Unix seconds."""
    return time.time()
