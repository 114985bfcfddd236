"""Encodes frames and publishes them with confirms; each frame's permit hears the outcome. On the event loop only."""

import asyncio
import time
from collections.abc import Callable

from broker import Outcome, Publisher
from contract.task import MAX_BODY_BYTES
from contract.topology import Lane
from producer.frames import Encoded, Frame
from producer.lane.message import Form, message_of, picture_of
from producer.lane.permit import Permit


class Sender:
    """Serves all lanes. `ensure_queue` declares the lanes' queues again."""

    def __init__(self, form: Form, publisher: Publisher, ensure_queue: Callable[[], None]) -> None:
        self.form = form
        self.publisher = publisher
        self.ensure_queue = ensure_queue
        self.reply_to: str | None = None
        """The queue that results are sent to, while there is one."""
        self._encoding: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """True if a frame can be sent now and its result be heard."""
        return self.reply_to is not None and self.publisher.usable

    @property
    def idle(self) -> bool:
        """True if no frame is encoded or lacks its confirm."""
        return not (self._encoding or self.publisher.outstanding)

    def send(self, permit: Permit, frame: Frame) -> None:
        """Encode the frame, if need be, and publish it."""
        if isinstance(frame.picture, Encoded) and len(frame.picture.data) < MAX_BODY_BYTES // 2:
            self._publish(permit, frame, frame.picture)
        else:
            task = asyncio.create_task(self._encode(permit, frame))
            self._encoding.add(task)
            task.add_done_callback(self._encoding.discard)

    async def _encode(self, permit: Permit, frame: Frame) -> None:
        self._publish(permit, frame, await asyncio.to_thread(picture_of, frame, self.form))

    def _publish(self, permit: Permit, frame: Frame, picture: Encoded | str) -> None:
        if isinstance(picture, str):
            permit.fail(picture)
            return
        waited = time.time() - frame.timestamp
        if frame.lane is Lane.LIVE and waited > self.form.staleness:
            permit.fail("stale")  # it waited here so long that a worker would not compute it
            return
        message = message_of(frame, picture, self.form, self.reply_to)
        permit.sent(waited)
        self.publisher.publish(message, lambda outcome: self._tell(permit, outcome))

    def _tell(self, permit: Permit, outcome: Outcome) -> None:
        if outcome is Outcome.CONFIRMED:
            permit.confirm()
            return
        if outcome is Outcome.UNROUTABLE:
            self.ensure_queue()
        permit.fail(outcome.value, queue_full=outcome is Outcome.REJECTED)
