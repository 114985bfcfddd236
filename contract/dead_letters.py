"""What a dead letter says of itself, in headers; and the attempt that a task is on its way to."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from contract.failures import InvalidTask
from contract.task import parse_head

REASON = "x-framefleet-reason"
ERROR = "x-framefleet-error"
ORIGIN = "x-framefleet-origin"
NODE = "x-framefleet-node"
TIME = "x-framefleet-time"
ATTEMPTS = "x-framefleet-attempts"
"""On a dead letter: how often the frame was tried. On a task: how often it was tried before."""

ALL = (REASON, ERROR, ORIGIN, NODE, TIME, ATTEMPTS)

UNKNOWN = "unknown"
# RabbitMQ's own headers: how often it delivered the message, and from where it dead-lettered it.
BROKERS_OWN = ("x-delivery-count", "x-acquired-count", "x-opt-deaths", "x-death")
BROKERS_OWN_PREFIXES = ("x-first-death-", "x-last-death-")


class Death(Struct, frozen=True, kw_only=True):
    """RabbitMQ's own word on a message that it dead-lettered itself. `time` in Unix seconds."""

    queue: str
    reason: str
    count: int
    time: float | None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A dead letter without its picture. Times in Unix seconds, `size` in bytes.

    `dead_letter_id` comes from the content: the same at every look. `reason` is one of FailureReason, or RabbitMQ's
    (`delivery_limit`) where it gave up itself. `timestamp` is the capture.
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
    deaths: list[Death]


def attempts(headers: Mapping[str, Any]) -> int:
    """How often the message was tried before, by its own header; a value that is no number counts as 0."""
    value = headers.get(ATTEMPTS, 0)
    return max(0, value) if isinstance(value, int) else 0


def parse_dead_letter(
    body: bytes, *, content_type: str | None, headers: Mapping[str, Any], message_id: str | None
) -> DeadLetter:
    """Read a message of the dead-letter queue, whatever it is: this never fails."""
    deaths = _deaths(headers)
    ours = REASON in headers
    camera_id = timestamp = None
    frame_id = message_id
    try:
        head = parse_head(body, content_type=content_type, headers=headers, message_id=message_id)
        camera_id, frame_id, timestamp = head.camera_id, head.frame_id, head.timestamp
    except InvalidTask:
        pass  # which is why it is here
    return DeadLetter(
        dead_letter_id=_identify(body, headers, message_id),
        reason=str(headers[REASON]) if ours else deaths[0].reason if deaths else UNKNOWN,
        error=_text(headers.get(ERROR)),
        origin=_text(headers.get(ORIGIN)) or (deaths[0].queue if deaths else None),
        node_id=_text(headers.get(NODE)),
        time=_number(headers.get(TIME)) if ours else deaths[0].time if deaths else None,
        attempts=attempts(headers) if ATTEMPTS in headers else None,
        camera_id=camera_id,
        frame_id=frame_id,
        timestamp=timestamp,
        content_type=content_type,
        size=len(body),
        deaths=deaths,
    )


def without_traces(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers as the sender wrote them: no attempts, no reason, no deliveries, nothing of RabbitMQ's."""
    return {
        name: value
        for name, value in headers.items()
        if name not in ALL and name not in BROKERS_OWN and not name.startswith(BROKERS_OWN_PREFIXES)
    }


def _identify(body: bytes, headers: Mapping[str, Any], message_id: str | None) -> str:
    told = [message_id, *(headers.get(name) for name in ALL), [d.time for d in _deaths(headers)]]
    return hashlib.sha256(repr(told).encode() + hashlib.sha256(body).digest()).hexdigest()[:12]


def _deaths(headers: Mapping[str, Any]) -> list[Death]:
    entries = headers.get("x-death")
    if not isinstance(entries, list):
        return []
    return [
        Death(
            queue=str(entry.get("queue", "")),
            reason=str(entry.get("reason", UNKNOWN)),
            count=int(entry["count"]) if isinstance(entry.get("count"), int) else 1,
            time=_number(entry.get("time")),
        )
        for entry in entries
        if isinstance(entry, Mapping)
    ]


def _number(value: Any) -> float | None:
    if isinstance(value, datetime):  # AMQP's timestamps, in UTC
        return value.timestamp()
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
