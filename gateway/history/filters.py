"""Which events are asked for, and from where on. Pure."""

import math
from dataclasses import dataclass
from typing import Literal

MAX_EVENT_ID = 2**63 - 1
FeedbackFilter = Literal["wrong", "missed", "any"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: events are listed by start and id, newest first."""

    started: float
    event_id: int

    def __str__(self) -> str:
        return f"{self.started!r}~{self.event_id}"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """None and 0 filter nothing. `seen`: whether somebody has seen it.

    `since` and `until` in Unix seconds: an event that overlaps them, ends included.
    """

    cameras: tuple[str, ...] = ()
    group: str | None = None
    since: float | None = None
    until: float | None = None
    min_faces: int = 1
    min_confidence: float = 0.0
    seen: bool | None = None
    feedback: FeedbackFilter | None = None

    @property
    def certainty(self) -> int:
        """The least whole hundredth that is enough. Events know their best confidence no better."""
        return math.ceil(self.min_confidence * 100 - 1e-9)


def parse_cursor(text: str) -> Cursor:
    """Read what `str(cursor)` wrote. Raises ValueError."""
    started, _, event_id = text.partition("~")
    cursor = Cursor(float(started), int(event_id))
    if not math.isfinite(cursor.started) or not 0 <= cursor.event_id <= MAX_EVENT_ID:
        raise ValueError("no cursor")
    return cursor
