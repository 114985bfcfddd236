"""Frames that could not be computed."""

from dataclasses import dataclass
from typing import Literal


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


@dataclass(slots=True, frozen=True)
class DeadLetterGroupView:
    """Dead letters that died for one reason, came from one queue and sender and are of one camera.

    `first` and `last` are times of death, null where no letter tells one. `error` is that of the newest. `final`:
    trying again ends the same way, since the fault is the message's own. `meaning` and `remedy` are about the reason.
    """

    group_id: str
    reason: str
    origin: str | None
    sender: str | None
    camera_id: str | None
    count: int
    size: int
    first: float | None
    last: float | None
    error: str | None
    final: bool
    meaning: str
    remedy: str


@dataclass(slots=True, frozen=True)
class DeadLetterGroupsView:
    """The largest groups; `left_out` counts those that are not listed.

    `total` counts the queues as they are now, `looked` those of them that were looked at, at most `most` of each queue.
    """

    total: int
    looked: int
    most: int
    complete: bool
    time: float
    left_out: int
    items: list[DeadLetterGroupView]


@dataclass(slots=True, frozen=True)
class LetterHeaderView:
    name: str
    text: str


@dataclass(slots=True, frozen=True)
class LetterPictureView:
    """`damage` says what is wrong with a picture that can be shown in part."""

    width: int
    height: int
    size: int
    content_type: str
    damage: str


@dataclass(slots=True, frozen=True)
class DeadLetterDetailView:
    """A dead letter with its headers as text; `picture` is null where there is none: `no_picture` says why."""

    letter: DeadLetterView
    headers: list[LetterHeaderView]
    headers_left_out: int
    picture: LetterPictureView | None
    no_picture: str
    final: bool
    meaning: str
    remedy: str


OperationKind = Literal["replay", "purge"]
OperationState = Literal["proposed", "running", "done", "stopped", "failed", "interrupted"]


@dataclass(slots=True, frozen=True)
class DeadLetterOperationView:
    """A replay or purge of exactly `count` dead letters, in `size` bytes, which were there when it was proposed.

    `summary` and `notes` say what it will do. `queues` counts where the frames go. `by` is the token's name, `address`
    where it was confirmed from. `done` is how far it came, `gone` how many were not there any more. `trouble` says what
    it waits for, or why it ended early. `died_again` counts those that are dead letters once more; null: not known.
    """

    operation_id: str
    kind: OperationKind
    state: OperationState
    summary: str
    notes: list[str]
    count: int
    size: int
    queues: dict[str, int]
    lane: str | None
    fresh: bool
    by: str | None
    address: str
    created: float
    started: float | None = None
    ended: float | None = None
    done: int = 0
    gone: int = 0
    trouble: str = ""
    died_again: int | None = None


@dataclass(slots=True, frozen=True)
class DeadLetterOperationsView:
    """Newest first: what runs, and what was done by way of this gateway; at most `kept` of them."""

    items: list[DeadLetterOperationView]
    kept: int
