"""Cameras as the gateway knows them."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict

from contract.status import CameraState

ShownState = Literal[CameraState, "quiet", "unknown"]
"""A camera's state by its producer's word, or the gateway's own: `quiet`, no producer announces it and nothing comes;
`unknown`, the gateway has no broker, or has only just got it back, and hears nobody."""


LoggedState = Literal[ShownState, "removed", "forgotten"]
"""A state in a camera's history: `removed`, it was taken out of its producer's file; `forgotten`, nothing was heard of
it for so long that it is no longer listed."""


@dataclass(slots=True, frozen=True)
class CameraView:
    """A camera, with `name` to `district` in its operator's words. `still`: its last picture shows what there is now.

    `fps` counts its results, `latency` is that of the last one, from capture to result. `sender` is the user of the
    broker that sent its last frame, where that has a name. An answer to a request with
    `fields` has only those and `camera_id`.
    """

    __pydantic_config__: ClassVar = ConfigDict(
        json_schema_extra=lambda schema: schema.update(required=["camera_id"])
    )

    camera_id: str
    state: ShownState
    reason: str | None
    since: float
    name: str | None = None
    group: str | None = None
    location: str | None = None
    district: str | None = None
    still: bool = False
    fps: float | None = None
    last_result: float | None = None
    faces: int | None = None
    latency: float | None = None
    width: int | None = None
    height: int | None = None
    producer_id: str | None = None
    sender: str | None = None


@dataclass(slots=True, frozen=True)
class CamerasView:
    """A page of cameras. `notices` say in sentences which cameras are left out of all pages, and what to do."""

    total: int
    next: str | None
    items: list[CameraView]
    notices: list[str] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class CameraCountsView:
    """What its producer has counted of a camera's frames since it took the camera up: `sent` to the queue, `skipped`
    because they showed nothing new, and `dropped` by reason. `fps` is its rate of capture."""

    fps: float
    sent: int
    skipped: int
    dropped: dict[str, int]


@dataclass(slots=True, frozen=True)
class CameraDetailView:
    """One camera. `masks` are polygons that are black in its frames, corners as fractions (0-1) of the picture;
    `masks_known` is false where nobody tells them. `counts` is null where no producer speaks for it."""

    camera: CameraView
    masks: list[list[list[float]]]
    masks_known: bool
    counts: CameraCountsView | None


@dataclass(slots=True, frozen=True)
class StateChangeView:
    """The camera's state, and the reason for it, since `time` (Unix seconds)."""

    time: float
    state: LoggedState
    reason: str | None
    producer_id: str | None


@dataclass(slots=True, frozen=True)
class StateChangesView:
    """Changes of a camera's state, newest first, and the one that was in force when the span began. `more`: older ones
    of the span are left out. Changes while no gateway ran are not in it."""

    items: list[StateChangeView]
    more: bool
