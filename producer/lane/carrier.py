"""Encodes frames and publishes them with confirms; whoever sends one hears the outcome. On the event loop only."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from broker import Outcome, Publisher
from contract.task import MAX_BODY_BYTES
from contract.topology import Lane
from producer.frames import Encoded, Frame
from producer.lane.message import Form, message_of, picture_of
from producer.lane.task_spans import TaskSpan, TaskSpans

Ticket = TypeVar("Ticket")
Shown = TypeVar("Shown", contravariant=True)


class Consignor(Protocol[Shown]):
    """Who sends frames, and hears by the ticket of each what becomes of it."""

    def sent(self, ticket: Shown, waited: float) -> None:
        """The frame goes out, `waited` seconds after its capture."""

    def confirmed(self, ticket: Shown) -> None:
        """The broker has the frame."""

    def failed(self, ticket: Shown, reason: str, *, queue_full: bool = False) -> None:
        """The frame does not reach the queue."""


class Carrier:
    """Serves all lanes. `ensure_queue` declares the lanes' queues again."""

    def __init__(
        self,
        form: Form,
        publisher: Publisher,
        ensure_queue: Callable[[], None],
        spans: TaskSpans | None = None,
    ) -> None:
        self._form = form
        self._publisher = publisher
        self._ensure_queue = ensure_queue
        self._spans = spans
        self.reply_to: str | None = None
        """The queue that results are sent to, while there is one."""
        self._encoding: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """True if a frame can be sent now and its result be heard."""
        return self.reply_to is not None and self._publisher.usable

    @property
    def idle(self) -> bool:
        """True if no frame is encoded or lacks its confirm."""
        return not (self._encoding or self.unconfirmed)

    @property
    def unconfirmed(self) -> int:
        """How many frames were sent, by whichever way, and lack their confirm."""
        return self._publisher.outstanding

    def send(self, frame: Frame, ticket: Ticket, consignor: Consignor[Ticket]) -> None:
        """Encode the frame, if need be, and publish it."""
        if isinstance(frame.picture, Encoded) and len(frame.picture.data) < MAX_BODY_BYTES // 2:
            self._publish(frame, frame.picture, ticket, consignor)
        else:
            task = asyncio.create_task(self._encode(frame, ticket, consignor))
            self._encoding.add(task)
            task.add_done_callback(self._encoding.discard)

    async def _encode(self, frame: Frame, ticket: Ticket, consignor: Consignor[Ticket]) -> None:
        picture = await asyncio.to_thread(picture_of, frame, self._form)
        self._publish(frame, picture, ticket, consignor)

    def _publish(
        self, frame: Frame, picture: Encoded | str, ticket: Ticket, consignor: Consignor[Ticket]
    ) -> None:
        if isinstance(picture, str):
            consignor.failed(ticket, picture)
            return
        waited = time.time() - frame.timestamp
        if frame.lane is Lane.LIVE and waited > self._form.staleness:
            consignor.failed(ticket, "stale")  # it waited here so long that a worker would not compute it
            return
        span = None if self._spans is None else self._spans.begin(frame)
        traceparent = None if span is None else span.traceparent
        message = message_of(frame, picture, self._form, self.reply_to, traceparent)
        consignor.sent(ticket, waited)
        self._publisher.publish(message, lambda outcome: self._tell(outcome, ticket, consignor, span))

    def _tell(
        self, outcome: Outcome, ticket: Ticket, consignor: Consignor[Ticket], span: TaskSpan | None
    ) -> None:
        self._report(outcome, ticket, consignor)
        if self._spans is not None and span is not None:
            self._spans.end(span, outcome)

    def _report(self, outcome: Outcome, ticket: Ticket, consignor: Consignor[Ticket]) -> None:
        if outcome is Outcome.CONFIRMED:
            consignor.confirmed(ticket)
            return
        if outcome is Outcome.UNROUTABLE:
            self._ensure_queue()
        refused = outcome in (Outcome.REJECTED, Outcome.QUEUE_DOWN)
        consignor.failed(ticket, outcome.value, queue_full=refused)
