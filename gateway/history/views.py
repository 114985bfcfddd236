"""The answers of the history, as OpenAPI documents them. Times in Unix seconds, durations in seconds."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row

from gateway.http.views import DeadLetterView


@dataclass(slots=True, frozen=True)
class EventView:
    """Something was detected at a camera, without a longer break, from `start` to `end`.

    `open`: it may still grow. `frames` are those with a detection, `faces` the most detections in one of them,
    `confidence` the best, in hundredths. `name` and `group` as they were when it began.
    """

    event_id: int
    camera_id: str
    name: str | None
    group: str | None
    start: float
    end: float
    open: bool
    frames: int
    faces: int
    confidence: float
    model: str
    thumbnail: str | None
    """Where its picture is: the one with the most faces."""


@dataclass(slots=True, frozen=True)
class EventsView:
    """`next` is the cursor of the following page; null: this is the last one."""

    items: list[EventView]
    next: str | None


@dataclass(slots=True, frozen=True)
class ActivityPointView:
    """A step that begins at `time`. `faces` is the most at once; frames that `expired` are not among `frames`."""

    time: float
    frames: int
    with_detections: int
    faces: int
    expired: int


@dataclass(slots=True, frozen=True)
class ActivityView:
    """Steps in which nothing came are left out."""

    step: int
    items: list[ActivityPointView]


Hop = Literal["captured", "queued", "computed", "recorded", "expired", "dead_letter"]


@dataclass(slots=True, frozen=True)
class HopView:
    """`seconds` is the frame's age there. `time` is null where no clock saw it."""

    hop: Hop
    time: float | None
    seconds: float | None
    node_id: str | None = None
    detail: str | None = None


@dataclass(slots=True, frozen=True)
class FrameResultView:
    """The result as the worker wrote it, without fields that say nothing."""

    timestamp: float
    original_timestamp: float
    node_id: str
    detections: list[dict[str, Any]]
    camera_id: str
    frame_id: str
    width: int
    height: int
    model: str
    status: Literal["ok", "expired"]
    processing_seconds: float
    queue_seconds: float
    hop: str | None
    reason: str | None


@dataclass(slots=True, frozen=True)
class FrameView:
    """What became of a frame, hop by hop. A dead letter may be there beside a result."""

    frame_id: str
    camera_id: str | None
    outcome: Literal["result", "expired", "dead_letter"]
    hops: list[HopView]
    result: FrameResultView | None
    dead_letter: DeadLetterView | None


def event_view(row: Row[Any], now: float, gap: float, prefix: str) -> EventView:
    """An event as the API tells it, at `now`; `prefix` stands before the address of its picture."""
    return EventView(
        event_id=row.event_id,
        camera_id=row.camera_id,
        name=row.name,
        group=row.camera_group,
        start=row.started,
        end=row.ended,
        open=row.ended + gap > now,
        frames=row.frames,
        faces=row.faces,
        confidence=row.certainty / 100,
        model=row.model,
        thumbnail=_picture(prefix, row.event_id, row.thumbnail),
    )


def _picture(prefix: str, event_id: int, quality: int | None) -> str | None:
    """Where an event's picture is. A better one has another address: nobody need ask whether it changed."""
    return None if quality is None else f"{prefix}/api/events/{event_id}/thumbnail?quality={quality}"
