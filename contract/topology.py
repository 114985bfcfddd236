"""The broker's objects as data. Whoever connects first declares them, idempotently; docs/architecture.md says why so.

Arguments are immutable once a queue exists; every number here is therefore part of the contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MIB = 1024 * 1024
GIB = 1024 * MIB
UNLIMITED_DELIVERIES = 1_000_000
"""The delivery limit where none is meant. RabbitMQ 4 drops silently at 20 without one, and -1 misbehaves on 3.10."""

Argument = str | int


class Lane(StrEnum):
    """A task queue with its own purpose."""

    LIVE = "live"
    BATCH = "batch"
    GPU = "gpu"
    REMOTE = "remote"

    @property
    def queue(self) -> str:
        """The name of the lane's queue."""
        return TASK_QUEUE if self is Lane.LIVE else f"{TASK_QUEUE}.{self}"

    @property
    def retries(self) -> tuple[str, ...]:
        """The queues that a failed frame goes through, one per further attempt.

        A live frame is worth one immediate retry: its own queue. The others wait 1, 10 and 60 seconds.
        """
        if self is Lane.LIVE:
            return (self.queue,)
        return tuple(f"{self.queue}.retry.{delay}s" for delay in RETRY_DELAYS)


RETRY_DELAYS = (1, 10, 60)
"""Seconds. Each delay has a queue, because a message's own time to live would block those behind it."""

TASK_QUEUE = "frame_queue"
DEAD_LETTER_QUEUE = "frame_queue.dlq"
RESULT_QUEUE = "result_queue"
TASKS_EXCHANGE = "tasks"
"""A second way to the lanes, by the queue's name, for users who may write nowhere else. The right to the default
exchange is a right to every queue: whoever has it can write results and dead letters too."""
RETRY_EXCHANGE = "retry"
"""The way of further attempts, by the queue's name. Only services write there: what our headers say of such a message
(attempts) is believed, and of no other."""
RESULTS_EXCHANGE = "results"
WATCH_EXCHANGE = "watch"
CONTROL_EXCHANGE = "control"
STATUS_EXCHANGE = "status"

RETRY_QUEUES = frozenset(name for lane in (Lane.BATCH, Lane.GPU, Lane.REMOTE) for name in lane.retries)
"""The queues in which further attempts wait."""


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: str


@dataclass(frozen=True)
class Queue:
    """A durable queue with its arguments, and the exchange and routing key that feed it, if any."""

    name: str
    arguments: Mapping[str, Argument]
    bindings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class EphemeralQueue:
    """A server-named, exclusive, small queue of one consumer that drops its oldest: a slow reader hurts nobody."""

    bindings: tuple[tuple[str, str], ...] = ()
    max_length: int = 1_000
    max_bytes: int = 32 * MIB

    @property
    def arguments(self) -> dict[str, Argument]:
        """The x-arguments of the declaration."""
        return {
            "x-max-length": self.max_length,
            "x-max-length-bytes": self.max_bytes,
            "x-overflow": "drop-head",
        }


def _task_queue(lane: Lane, messages: int, size: int) -> Queue:
    # At-least-once dead-lettering needs reject-publish: from a drop-head queue it silently becomes at-most-once.
    return Queue(
        lane.queue,
        {
            "x-queue-type": "quorum",
            "x-max-length": messages,
            "x-max-length-bytes": size,
            "x-overflow": "reject-publish",
            "x-delivery-limit": 5,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": DEAD_LETTER_QUEUE,
            "x-dead-letter-strategy": "at-least-once",
        },
        bindings=((TASKS_EXCHANGE, lane.queue), (RETRY_EXCHANGE, lane.queue)),
    )


def _retry_queues(lane: Lane) -> tuple[Queue, ...]:
    return tuple(
        Queue(
            name,
            {
                "x-queue-type": "quorum",
                "x-message-ttl": delay * 1000,
                "x-max-length": 10_000,
                "x-max-length-bytes": 1 * GIB,
                "x-overflow": "reject-publish",
                "x-delivery-limit": UNLIMITED_DELIVERIES,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": lane.queue,
                "x-dead-letter-strategy": "at-least-once",
            },
        )
        for name, delay in zip(lane.retries, RETRY_DELAYS, strict=True)
    )


@dataclass(frozen=True)
class Topology:
    """Everything durable, in the order of declaration."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...] = field(default_factory=tuple)


TOPOLOGY = Topology(
    exchanges=(
        Exchange(TASKS_EXCHANGE, "topic"),  # a topic: RabbitMQ checks rights to single routing keys there
        Exchange(RETRY_EXCHANGE, "direct"),
        Exchange(RESULTS_EXCHANGE, "topic"),
        Exchange(WATCH_EXCHANGE, "topic"),
        Exchange(CONTROL_EXCHANGE, "fanout"),
        Exchange(STATUS_EXCHANGE, "topic"),
    ),
    queues=(
        # drop-head: a full dead-letter queue must not stop every camera; the drop is the one stated exception.
        Queue(
            DEAD_LETTER_QUEUE,
            {
                "x-queue-type": "quorum",
                "x-max-length": 10_000,
                "x-max-length-bytes": 1 * GIB,
                "x-overflow": "drop-head",
                "x-delivery-limit": UNLIMITED_DELIVERIES,
            },
        ),
        _task_queue(Lane.LIVE, 5_000, 512 * MIB),
        _task_queue(Lane.BATCH, 100_000, 8 * GIB),
        _task_queue(Lane.GPU, 5_000, 512 * MIB),
        _task_queue(Lane.REMOTE, 100_000, 8 * GIB),
        *_retry_queues(Lane.BATCH),
        *_retry_queues(Lane.GPU),
        *_retry_queues(Lane.REMOTE),
        Queue(
            RESULT_QUEUE,
            {
                "x-queue-type": "quorum",
                "x-max-length": 1_000_000,
                "x-max-length-bytes": 1 * GIB,
                "x-overflow": "reject-publish",
                "x-delivery-limit": UNLIMITED_DELIVERIES,
            },
            bindings=((RESULTS_EXCHANGE, "#"),),
        ),
    ),
)
