"""Frames that could not be computed."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class DeathView:
    queue: str
    reason: str
    count: int
    time: float | None


@dataclass(slots=True, frozen=True)
class DeadLetterView:
    """A frame that could not be computed. `deaths` is RabbitMQ's own word, where it gave up itself."""

    dead_letter_id: str
    reason: str
    error: str | None
    origin: str | None
    node_id: str | None
    time: float | None
    attempts: int | None
    camera_id: str | None
    frame_id: str | None
    timestamp: float | None
    content_type: str | None
    size: int
    deaths: list[DeathView]


@dataclass(slots=True, frozen=True)
class DeadLettersView:
    """`complete` is false where the queue was too much for one look; `time` is when that was."""

    total: int
    matching: int
    complete: bool
    time: float
    next: str | None
    items: list[DeadLetterView]
