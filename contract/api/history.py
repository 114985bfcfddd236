"""What was detected when, and what became of a frame."""

from dataclasses import dataclass
from typing import Any, Literal

from contract.api.dead_letters import DeadLetterView


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
