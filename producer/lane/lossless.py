"""The way of frames that must not be lost: no turns and no window, each waits until the broker has it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

from broker import Message, Outcome, Publisher
from broker.aio import publish
from broker.backoff import compute_backoff
from producer.frames import Frame
from producer.lane.drops import REPORT_SECONDS, Drops
from producer.lane.message import Form, message_of, picture_of
from producer.lane.permit import Holder
from producer.lane.task_spans import TaskSpans
from runtime.logs import get_logger

log: Any = get_logger("producer")


class LosslessLane:
    """Gives permits at once. What limits a source here is that `send` returns when the frame is in the queue."""

    def __init__(
        self,
        form: Form,
        publisher: Publisher,
        ensure_queue: Callable[[], None],
        drops: Drops,
        spans: TaskSpans | None = None,
    ) -> None:
        self._form = form
        self._publisher = publisher
        self._ensure_queue = ensure_queue
        self._drops = drops
        self._spans = spans
        self._told_at = float("-inf")
        self.stored: Counter[str] = Counter()
        """How many frames the broker has confirmed, by lane."""

    def permit(self, camera: Holder, patience: float = 0.0) -> "LosslessPermit":
        """A permit, for which nobody waits."""
        del patience
        return LosslessPermit(self, camera)

    async def deliver(self, camera: Holder, frame: Frame) -> None:
        """Publish the frame again and again, until the broker confirms it or never will."""
        camera.waiting_for_queue = True
        try:
            reason = await self._deliver(camera, frame)
        finally:
            camera.waiting_for_queue = False
        if reason is None:
            self.stored[frame.lane.value] += 1
            camera.frame_sent()
        else:
            camera.frame_dropped(reason)
            self._drops.add(reason)

    async def _deliver(self, camera: Holder, frame: Frame) -> str | None:
        """The reason why it is left out, if it is."""
        picture = await asyncio.to_thread(picture_of, frame, self._form)
        if isinstance(picture, str):
            return picture
        span = None if self._spans is None else self._spans.begin(frame)
        message = message_of(frame, picture, self._form, None, None if span is None else span.traceparent)
        outcome = await self._publish(camera, frame, message)
        if self._spans is not None and span is not None:
            self._spans.end(span, outcome)
        return None if outcome is Outcome.CONFIRMED else outcome.value

    async def _publish(self, camera: Holder, frame: Frame, message: Message) -> Outcome:
        """CONFIRMED or REFUSED, at last."""
        attempt = 0
        while (outcome := await publish(self._publisher, message)) is not Outcome.CONFIRMED:
            if outcome is Outcome.REFUSED:
                log.warning(
                    "frame left out: the broker refuses its message, and its log says why",
                    camera_id=frame.camera_id,
                    frame_id=frame.frame_id,
                    bytes=len(message.body),
                )
                break
            self._tell_waiting(camera.camera_id, outcome)
            if outcome is Outcome.UNROUTABLE:
                self._ensure_queue()
            await asyncio.sleep(compute_backoff(attempt, base=0.1, cap=2.0))
            attempt += 1
        return outcome

    def _tell_waiting(self, camera_id: str, outcome: Outcome) -> None:
        now = time.monotonic()
        if now - self._told_at >= REPORT_SECONDS:
            self._told_at = now
            log.info("waiting for the queue", camera_id=camera_id, reason=outcome.value)


class LosslessPermit:
    """A permit that is always granted."""

    void = False

    def __init__(self, lane: LosslessLane, camera: Holder) -> None:
        self._lane = lane
        self._camera = camera

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing was held."""

    async def send(self, frame: Frame) -> None:
        """Returns when the broker has the frame, or refuses it for good."""
        await self._lane.deliver(self._camera, frame)
