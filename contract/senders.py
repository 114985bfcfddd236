"""Senders: users of the broker who may publish tasks to queues of their own, and what they may ask of the workers.

A sender's queue is its identity. Its user may write to one exchange of its own and nowhere else, and that leads to its
queues and nowhere else: nothing that a message says about itself can change where it came from. (Rights to routing keys
of one exchange for all would not do: RabbitMQ 3.10 does not check those in the headers CC and BCC.)
Whoever writes to a lane's own queue is trusted and has no name: our producers, and plain clients of the services' user.
"""

import re
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contract.abbreviation import shortened
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import MAX_CAMERA_ID, MAX_FRAME_ID
from contract.json import decode
from contract.topology import (
    DEAD_LETTER_QUEUE,
    MIB,
    RETRY_EXCHANGE,
    TASKS_EXCHANGE,
    UNLIMITED_DELIVERIES,
    Exchange,
    Lane,
    Queue,
    Topology,
)

SENDER_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,30}\Z"
"""No hyphen and no dot: the first hyphen of a camera's name ends its sender's, and dots divide routing keys."""
MAX_SENDERS = 100
SHARE = 0.1
MAX_CAMERAS = 16
MAX_PIXELS = 4096 * 2160

SenderName = Annotated[str, Meta(pattern=SENDER_NAME_PATTERN)]


class Sender(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one sender may do. `share`: of the workers' time, while others want it too; all of it while nobody does.

    `cameras` are the names, or patterns as in a shell, that it may use as they are; any other camera is called
    `<name>-<camera>`, and the one that it does not name `<name>`. `models` are those that its tasks may name
    themselves. `max_cameras` counts the cameras of a day.
    """

    name: SenderName
    lanes: tuple[Lane, ...] = (Lane.LIVE,)
    share: Annotated[float, Meta(gt=0, le=1)] = SHARE
    cameras: tuple[str, ...] = ()
    max_cameras: Annotated[int, Meta(ge=1, le=10_000)] = MAX_CAMERAS
    max_pixels: Annotated[int, Meta(ge=1)] = MAX_PIXELS
    models: tuple[str, ...] = ()

    def camera(self, camera_id: str | None) -> str:
        """Return the name by which everybody knows the camera that the sender calls so; None: it names none.

        Raises InvalidTask for a name that is too long with the sender's before it.
        """
        if camera_id is None or camera_id == self.name:
            return self.name
        if camera_id.startswith(f"{self.name}-"):
            return camera_id
        if any(fnmatchcase(camera_id, pattern) for pattern in self.cameras):
            return camera_id
        named = f"{self.name}-{camera_id}"
        if len(named) > MAX_CAMERA_ID:
            raise InvalidTask(
                FailureReason.INVALID_TASK,
                f"`camera_id` becomes {named}, which is longer than {MAX_CAMERA_ID} characters: choose a shorter one",
            )
        return named

    def frame(self, frame_id: str) -> str:
        """Return the frame_id by which everybody knows the frame: no sender can use up another's."""
        prefix = f"{self.name}:"
        if frame_id.startswith(prefix):
            return frame_id
        named = f"{prefix}{frame_id}"
        return named if len(named) <= MAX_FRAME_ID else shortened(named.encode(), MAX_FRAME_ID).decode()

    @property
    def exchange(self) -> str:
        """The name of the exchange to which its user publishes, and the only one to which it may."""
        return f"{TASKS_EXCHANGE}.from.{self.name}"

    def queue(self, lane: Lane) -> str:
        """Return the name of its queue of that lane, which is the routing key of its tasks."""
        return f"{lane.queue}.from.{self.name}"

    @property
    def dead_letter_queue(self) -> str:
        """The name of the queue of its own dead letters, which can push out nobody else's."""
        return f"{DEAD_LETTER_QUEUE}.from.{self.name}"

    @property
    def topology(self) -> Topology:
        """Everything durable that is its own, in the order of declaration."""
        return Topology((Exchange(self.exchange, "direct"),), self.queues)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Its queues in the order of declaration; its exchange, which feeds them, comes before."""
        return (
            Queue(
                self.dead_letter_queue,
                {
                    "x-queue-type": "quorum",
                    "x-max-length": 1_000,
                    "x-max-length-bytes": 64 * MIB,
                    "x-overflow": "drop-head",
                    "x-delivery-limit": UNLIMITED_DELIVERIES,
                },
            ),
            *(self._task_queue(lane) for lane in self.lanes),
        )

    @property
    def reply_queue(self) -> Queue:
        """The queue where it may have its results put, and read them; who wants them at once uses direct reply-to.

        It is made for the sender, which may declare nothing: whoever may declare a queue can have it dead-letter into
        every exchange that it may write to, under any routing key.
        """
        return Queue(
            f"sender.{self.name}.replies",
            {
                "x-queue-type": "quorum",
                "x-max-length": 10_000,
                "x-max-length-bytes": 16 * MIB,
                "x-overflow": "drop-head",
                "x-delivery-limit": UNLIMITED_DELIVERIES,
            },
        )

    def _task_queue(self, lane: Lane) -> Queue:
        name = self.queue(lane)
        return Queue(
            name,
            {
                "x-queue-type": "quorum",
                "x-max-length": 10_000 if lane is Lane.BATCH else 200,
                "x-max-length-bytes": (512 if lane is Lane.BATCH else 64) * MIB,
                "x-overflow": "reject-publish",
                "x-delivery-limit": 5,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": self.dead_letter_queue,
                "x-dead-letter-strategy": "at-least-once",
            },
            bindings=((self.exchange, name), (RETRY_EXCHANGE, name)),
        )


class Senders(Struct, frozen=True, kw_only=True, tag_field="kind", tag="senders"):
    """All senders at once, as a gateway announces them on `control`; the highest `revision` holds.

    `revision` is the time of the last change in milliseconds since 1970; 0: nothing was heard of any.
    """

    revision: int = 0
    senders: Annotated[tuple[Sender, ...], Meta(max_length=MAX_SENDERS)] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Senders)


def encode_senders(senders: Senders) -> bytes:
    """Write the senders as JSON for a file; for the wire see `contract.status`."""
    return _encoder.encode(senders)


def parse_senders(body: bytes) -> Senders:
    """Read what `encode_senders` wrote. Raises ValueError (msgspec.DecodeError)."""
    return decode(_decoder, body)


def is_sender_name(text: str) -> bool:
    """Tell whether a sender may be called so."""
    return re.match(SENDER_NAME_PATTERN, text) is not None
