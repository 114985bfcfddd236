"""Senders: users of the broker with queues, a share and limits of their own."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class SenderView:
    """A sender. `cameras` are the names or patterns that it may use as they are; any other is called
    `<name>-<camera>`. `share` is of the workers' time while others want it too.

    `cameras_seen` and `cameras_refused` (beyond `max_cameras`) are of the last day, `frames` are those with a result:
    as this gateway has counted since it started. `waiting` and `dead_letters` are in its queues; null while the broker
    does not tell, or cannot use one of these: `down` names it.
    """

    name: str
    lanes: list[str]
    share: float
    cameras: list[str]
    models: list[str]
    max_cameras: int
    max_pixels: int
    cameras_seen: int
    cameras_refused: int
    frames: int
    last_frame: float | None
    waiting: int | None
    dead_letters: int | None
    down: list[str]


@dataclass(slots=True, frozen=True)
class UnannouncedView:
    """Cameras of plain clients, of which no producer speaks: at most `limit` are shown, and `refused` are not."""

    limit: int
    cameras: int
    refused: int


@dataclass(slots=True, frozen=True)
class SendersView:
    """All senders by name, and those without one together."""

    items: list[SenderView]
    unnamed: UnannouncedView
