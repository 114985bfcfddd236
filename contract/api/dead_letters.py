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
    """A frame that could not be computed. `deaths` tells why RabbitMQ itself gave up, where it did; `sender` is the one
    that it came from, where that has a name.
    """

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
    sender: str | None = None


@dataclass(slots=True, frozen=True)
class DeadLettersView:
    """A page of dead letters. `complete` is false if the queue was too long for one look, which was at `time`, or has
    changed since."""

    total: int
    matching: int
    complete: bool
    time: float
    next: str | None
    items: list[DeadLetterView]
