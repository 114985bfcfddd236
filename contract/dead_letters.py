"""The headers by which a dead letter explains itself, and a task tells how often it was tried."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from contract.errors import InvalidTask
from contract.senders import Sender
from contract.task import parse_head, parse_names
from contract.topology import RETRY_QUEUES

PREFIX = "x-framefleet-"
REASON = f"{PREFIX}reason"
ERROR = f"{PREFIX}error"
ORIGIN = f"{PREFIX}origin"
NODE = f"{PREFIX}node"
TIME = f"{PREFIX}time"
ATTEMPTS = f"{PREFIX}attempts"
"""On a dead letter: how often the frame was tried. On a task: how often it was tried before."""
EXPIRATION = f"{PREFIX}expiration"
"""The sender's `expiration`, which does not run on in a message that is published again (see broker.republishing)."""
LEFT_OUT = f"{PREFIX}left-out"
"""The names of headers that did not fit into a message that was published again (see broker.properties)."""

TOLD = (REASON, ERROR, ORIGIN, NODE, TIME, ATTEMPTS)

UNKNOWN = "unknown"
NOT_OURS = "no worker of ours put it here, nor did RabbitMQ: somebody sent it to this queue"
LATEST = 1e11
"""Unix seconds in the year 5138: a larger number means that somebody wrote milliseconds."""
# RabbitMQ's own headers tell how often it delivered the message, and from where it dead-lettered it.
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
    (`delivery_limit`) where it gave up itself. `timestamp` is the capture. `sender` is the one in whose queue it is;
    camera and frame then have the names by which everybody knows them.
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
    sender: str | None = None


def attempts(headers: Mapping[str, Any]) -> int:
    """Return how often the message was tried before, by its own header; a value that is not a number counts as 0.

    Whether the header is to be believed depends on the way that the message came (worker.flow).
    """
    value = headers.get(ATTEMPTS, 0)
    return max(0, value) if isinstance(value, int) else 0


def parse_dead_letter(
    body: bytes, *, content_type: str | None, headers: Mapping[str, Any], message_id: str | None
) -> DeadLetter:
    """Read a message of the dead-letter queue, whatever it is. Never raises."""
    deaths = _deaths(headers)
    by_broker = is_brokers_letter(headers)
    if by_broker:  # what its sender wrote about that is not a word of ours
        headers = {name: value for name, value in headers.items() if not name.startswith(PREFIX)}
    ours = REASON in headers
    camera_id = timestamp = None
    frame_id = message_id
    try:
        head = parse_head(body, content_type=content_type, headers=headers, message_id=message_id)
        camera_id, frame_id, timestamp = head.camera_id, head.frame_id, head.timestamp
    except InvalidTask:  # this is probably why it was dead-lettered
        names = parse_names(body, content_type=content_type, headers=headers)
        camera_id, frame_id = names.camera_id, names.frame_id or message_id
    return DeadLetter(
        dead_letter_id=_identify(body, headers, message_id),
        reason=str(headers[REASON]) if ours else deaths[0].reason if deaths else UNKNOWN,
        error=_text(headers.get(ERROR)) if ours or deaths else NOT_OURS,
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


def is_brokers_letter(headers: Mapping[str, Any]) -> bool:
    """Tell whether RabbitMQ itself dead-lettered the message from a lane: its newest word comes first.

    One that a worker dead-lettered has no word of RabbitMQ's, or that it came back from a retry queue.
    """
    deaths = _deaths(headers)
    return bool(deaths) and deaths[0].queue not in RETRY_QUEUES


def letter_from(sender: Sender, letter: DeadLetter) -> DeadLetter:
    """Return the letter as one of the sender's, in whose queue it was found. Never raises."""
    camera_id, frame_id = letter.camera_id, letter.frame_id
    try:
        camera_id = None if camera_id is None else sender.camera(camera_id)
        frame_id = None if frame_id is None else sender.frame(frame_id)
    except InvalidTask:  # this is probably why it was dead-lettered
        pass
    return replace(letter, sender=sender.name, camera_id=camera_id, frame_id=frame_id)


def is_trace(name: str) -> bool:
    """Tell whether a header was not set by the sender, but by us (reasons, attempts) or RabbitMQ (counts, deaths)."""
    return name.startswith(PREFIX) or is_brokers_own(name)


def came_back(headers: Mapping[str, Any], queues: Collection[str]) -> bool:
    """Tell whether RabbitMQ says that the message has just come out of one of these queues, where its time was over."""
    deaths = _deaths(headers)
    return bool(deaths) and deaths[0].reason == "expired" and deaths[0].queue in queues


def is_brokers_own(name: str) -> bool:
    """Tell whether RabbitMQ writes or reads this header.

    It must not travel on: RabbitMQ takes an expiry after a foreign `x-death` for a cycle and drops the message.
    """
    return name in BROKERS_OWN or name.startswith(BROKERS_OWN_PREFIXES)


def _identify(body: bytes, headers: Mapping[str, Any], message_id: str | None) -> str:
    told = [message_id, *(headers.get(name) for name in TOLD), [d.time for d in _deaths(headers)]]
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
    """Read Unix seconds; None for a value that can be no moment."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LATEST else None  # NaN fails the comparison


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
