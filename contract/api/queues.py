"""The broker's queues: how much waits, since when, how fast it comes and goes, and who takes it."""

from dataclasses import dataclass
from typing import Literal

QueuePurpose = Literal["lane", "sender", "retry", "results", "dead_letters"]


@dataclass(slots=True, frozen=True)
class QueueView:
    """A queue. `messages` are ready: what workers hold is not counted. Null where nothing is known; `unknown` says why.

    `oldest` is how long the first message waits, in seconds: exact while workers take frames, else at least so long
    (`oldest_at_least`). `rate_in` and `rate_out` are frames a second over the last minute, of a lane as a whole: its
    own queue, its senders' and its retries. `limit` and `size_limit` are the bounds; `down` is what RabbitMQ said.
    """

    name: str
    purpose: QueuePurpose
    lane: str | None
    sender: str | None
    messages: int | None
    limit: int | None
    size_limit: int | None
    consumers: int | None
    oldest: float | None
    oldest_at_least: bool
    rate_in: float | None
    rate_out: float | None
    down: str | None
    unknown: str


@dataclass(slots=True, frozen=True)
class QueuesView:
    """All queues: the lanes' first. `window` is what the rates are over, in seconds."""

    items: list[QueueView]
    window: float
    time: float
