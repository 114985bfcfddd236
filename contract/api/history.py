"""Answers of the history: what was detected when, and what became of a frame."""

from dataclasses import dataclass, field
from typing import Any, Literal

from contract.api.dead_letters import DeadLetterView

Feedback = Literal["wrong", "missed"]


@dataclass(slots=True, frozen=True)
class DetectionView:
    """One detection as the worker wrote it: a box in pixels of the frame, and landmarks (x and y each)."""

    x: int
    y: int
    w: int
    h: int
    confidence: float
    label: str
    landmarks: list[list[int]] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class EventFrameView:
    """The frame of an event's picture, as it was captured at `time`: `width` and `height` in pixels, in which the boxes
    and landmarks of its `detections` are."""

    frame_id: str
    time: float
    width: int
    height: int
    model: str
    detections: list[DetectionView]


@dataclass(slots=True, frozen=True)
class EventView:
    """A stretch of time, `start` to `end`, in which a camera saw something without a longer break.

    An event that is `open` may still grow. `frames` counts those with a detection, `faces` is the most detections in
    one of them, `confidence` the best, in hundredths; all three are 0 for motion without a face, which gateways keep
    where a rule asks for it (docs/remote.md). `name` and `group` are those of its beginning.

    `seen_by` and `seen_at` are who saw it first, and when; `feedback` is what people say of the detections in its
    picture: `wrong`, one is not a face, or `missed`, a face was overlooked. Null: nobody did.
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
    """The address of a small picture of it, the one with the most faces."""
    picture: str | None
    """The address of the same picture as it was captured; null where there is none, or it made room for newer ones."""
    frame: EventFrameView | None
    """What was found in that very frame; null for events without a picture, or of a version that did not keep it."""
    seen_at: float | None
    seen_by: str | None
    feedback: Feedback | None
    note: str | None
    feedback_at: float | None
    feedback_by: str | None
    description: str | None
    """What a remote model says of a picture of it, in that model's words; null where none was asked, or has not yet
    answered."""
    description_model: str | None


@dataclass(slots=True, frozen=True)
class EventsView:
    """A page of events. `next` is the cursor of the following page, null on the last one."""

    items: list[EventView]
    next: str | None


@dataclass(slots=True, frozen=True)
class EventCountView:
    """How many events match, up to the one whose id is `newest`: what comes later is not among them."""

    count: int
    newest: int


@dataclass(slots=True, frozen=True)
class EventsSeenView:
    """How many events were `marked` as seen, and how many that match are `left`: ask again for these."""

    marked: int
    left: int


@dataclass(slots=True, frozen=True)
class ActivityPointView:
    """The step that begins at `time`. `faces` is the most at once; `frames` does not count those that `expired`."""

    time: float
    frames: int
    with_detections: int
    faces: int
    expired: int


@dataclass(slots=True, frozen=True)
class ActivityView:
    """Activity in steps of `step` seconds. Steps in which nothing came are left out."""

    step: int
    items: list[ActivityPointView]


Hop = Literal["captured", "queued", "computed", "recorded", "expired", "dead_letter"]


@dataclass(slots=True, frozen=True)
class HopView:
    """A place that a frame passed, at the age of `seconds`. `time` is null where no clock saw it."""

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
    """The way of a frame, hop by hop. It may have a dead letter as well as a result."""

    frame_id: str
    camera_id: str | None
    outcome: Literal["result", "expired", "dead_letter"]
    hops: list[HopView]
    result: FrameResultView | None
    dead_letter: DeadLetterView | None
