"""Takes a completion to a settled delivery: publish, confirm, then acknowledge.

A worker holds its frame while the broker takes no results. Lives on the connection's thread.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from broker import Link, Message, Outcome, Publisher
from broker.backoff import compute_backoff
from contract.failures import FailureReason
from contract.topology import Lane
from runtime.logs import get_logger
from worker.arrival import Arrival, Completion
from worker.canary import UNSENT, canary_reply
from worker.failed_replies import failed_reply
from worker.frame_spans import FrameSpans
from worker.heartbeat import Tally
from worker.job_items import is_tried_again, item_answer
from worker.messages import dead_letter, picture_message, put_back, reply_message, result_message, retry
from worker.metrics import WorkerMetrics
from worker.newest_frames import NewestFrames
from worker.processor import Computed, Failed, PutBack
from worker.recent_frames import RecentFrames
from worker.watched_cameras import WatchedCameras

log = get_logger("worker")

LONGEST_RETRY = 2.0


class Settler:
    """Publishes outcomes and acknowledges their deliveries. `released` is called once for each arrival."""

    def __init__(
        self,
        publisher: Publisher,
        link: Link,
        node_id: str,
        watched: WatchedCameras,
        recent: RecentFrames,
        newest: NewestFrames,
        metrics: WorkerMetrics,
        tally: Tally,
        released: Callable[[Arrival], None],
        spans: FrameSpans | None = None,
    ) -> None:
        self._publisher = publisher
        self._link = link
        self._node_id = node_id
        self._watched = watched
        self._recent = recent
        self._newest = newest
        self._metrics = metrics
        self._tally = tally
        self._released = released
        self._spans = spans
        self._kept: list[Callable[[], None]] | None = None

    def keep_acknowledgements(self) -> None:
        """Acknowledge nothing for now, so that the broker sends nothing more."""
        self._kept = []

    def release_acknowledgements(self) -> None:
        """Acknowledge what was kept, and from now on at once."""
        kept, self._kept = self._kept or [], None
        for acknowledge in kept:
            acknowledge()

    def settle(self, item: Completion) -> None:
        """Publish what came of the delivery until it is confirmed, then acknowledge. Never raises."""
        try:
            if item.arrival.canary:
                self._answer(item)
            elif item.arrival.of_job and self._is_final(item):
                self._answer_job(item)
            else:
                self._publish(item, self._traced(item, self._message(item)), 0)
        except Exception as error:
            log.exception("what came of a frame could not be published")
            self._give_up(item, f"{type(error).__name__}: {error}")

    def _answer(self, item: Completion) -> None:
        """Reply to a canary, and to nobody else."""
        if isinstance(item.outcome, Failed):
            log.warning(
                "the canary could not be computed",
                reason=item.outcome.reason.value,
                error=item.outcome.error[:200],
            )
        reply = canary_reply(item, self._node_id)
        if reply is None:
            self._confirmed(item, None)
        else:
            self._reply_alone(
                item, reply, 0, lambda outcome: outcome in UNSENT, lambda: self._confirmed(item, None)
            )

    def _answer_job(self, item: Completion) -> None:
        """Answer the item to its job, and to nobody else."""
        outcome, arrival = item.outcome, item.arrival
        if isinstance(outcome, Failed):
            log.info(
                "a job's item cannot be computed",
                reason=outcome.reason.value,
                error=outcome.error[:200],
                queue=arrival.delivery.reply_to,
                **arrival.words,
            )
        answer = item_answer(item, self._node_id)
        if answer is None:  # never, by the name of its queue
            self._confirmed(item, None)
            return
        answer = self._traced(item, answer)

        def again(outcome: Outcome) -> bool:
            return is_tried_again(outcome, time.perf_counter() - item.computed)

        self._reply_alone(item, answer, 0, again, lambda: self._confirmed(item, answer))

    def _reply_alone(
        self,
        item: Completion,
        reply: Message,
        attempt: int,
        again: Callable[[Outcome], bool],
        settled: Callable[[], None],
    ) -> None:
        """Publish the reply as long as `again` says so, then call `settled`."""
        if not item.delivery.open:
            self._released(item.arrival)
            return

        def done(outcome: Outcome) -> None:
            if again(outcome):
                delay = compute_backoff(attempt, cap=LONGEST_RETRY)
                self._link.loop.call_later(
                    delay, partial(self._reply_alone, item, reply, attempt + 1, again, settled)
                )
                return
            if outcome is not Outcome.CONFIRMED:
                log.warning(
                    "a reply was not taken: its queue is full, down or gone",
                    outcome=outcome.value,
                    queue=reply.routing_key,
                    **item.arrival.words,
                )
            settled()

        self._publisher.publish(reply, done)

    def _next_attempt(self, item: Completion) -> str | None:
        """The queue of the next attempt, if another may succeed and there is one left."""
        if not isinstance(item.outcome, Failed):
            return None
        intake = item.arrival.intake
        tried = intake.tried(item.delivery)
        left = item.outcome.reason.transient and tried < len(intake.retries)
        return intake.retries[tried] if left else None

    def _is_final(self, item: Completion) -> bool:
        return not isinstance(item.outcome, PutBack) and self._next_attempt(item) is None

    def _message(self, item: Completion) -> Message:
        outcome = item.outcome
        if isinstance(outcome, Failed):
            return self._failure(item, outcome)
        if isinstance(outcome, PutBack):
            return put_back(item.delivery, item.arrival.intake)
        if isinstance(outcome, Computed):
            self._recent.keep(outcome, self._watched.motion)
            self._newest.keep(outcome)
            if outcome.result.camera_id in self._watched:
                self._publisher.publish(self._traced(item, picture_message(outcome)))
        return result_message(outcome.result)

    def _traced(self, item: Completion, message: Message) -> Message:
        trace = item.arrival.trace
        return (
            message
            if self._spans is None or trace is None
            else self._spans.carry(message, trace, item.outcome)
        )

    def _give_up(self, item: Completion, why: str) -> None:
        """The frame becomes a dead letter with this reason; if even that cannot be, the broker's own."""
        failed = Failed(FailureReason.WORKER_ERROR, why)
        try:
            letter = dead_letter(failed, item.delivery, item.arrival.intake, self._node_id)
            given_up = replace(item, outcome=failed)
            self._publish(given_up, self._traced(given_up, letter), 0)
        except Exception:
            log.exception("a frame could not be dead-lettered: the broker does it")
            self._refuse(item, failed)

    def _refuse(self, item: Completion, failed: Failed) -> None:
        if item.delivery.reject():
            self._tally.settled(ok=False)
            if self._spans is not None:
                now = time.perf_counter()
                self._spans.settled(item, None, now, now)
            self._tell_failure(item, failed)
        self._released(item.arrival)

    def _failure(self, item: Completion, failed: Failed) -> Message:
        """Send it to the next attempt, if another may succeed and there is one left; else to the dead letters."""
        delivery, intake = item.delivery, item.arrival.intake
        again = self._next_attempt(item)
        log.warning(
            "frame dead-lettered" if again is None else "frame gets another attempt",
            reason=failed.reason.value,
            error=failed.error[:200],
            message_id=delivery.message_id,
            attempt=intake.tried(delivery) + 1,
            queue=intake.queue,
            **item.arrival.words,
        )
        if again is not None:
            return retry(delivery, intake, again)
        return dead_letter(failed, delivery, intake, self._node_id)

    def _publish(self, item: Completion, message: Message, attempt: int) -> None:
        if not item.delivery.open:
            self._released(item.arrival)  # the broker has taken the frame back, and somebody else computes it
            return

        def done(outcome: Outcome) -> None:
            if outcome is Outcome.CONFIRMED:
                self._confirmed(item, message)
                return
            if outcome is Outcome.REFUSED:
                if isinstance(item.outcome, Failed):
                    # The broker's own way to the dead letters publishes nothing.
                    self._refuse(item, item.outcome)
                else:
                    self._give_up(item, "RabbitMQ refuses to take its result")
                return
            delay = compute_backoff(attempt, cap=LONGEST_RETRY)
            if attempt == 0:
                log.warning(
                    "result not taken: holding the frame",
                    outcome=outcome.value,
                    queue=message.routing_key,
                    **item.arrival.words,
                )
            if outcome is Outcome.UNROUTABLE:
                self._link.ensure_topology()  # somebody deleted a queue
            self._link.loop.call_later(delay, partial(self._publish, item, message, attempt + 1))

        self._publisher.publish(message, done)

    def _confirmed(self, item: Completion, message: Message | None) -> None:
        """Acknowledge the delivery, and count it; a canary, of which `message` is None, is not counted."""
        if self._kept is not None:
            self._kept.append(partial(self._confirmed, item, message))
            return
        now = time.perf_counter()
        try:
            # Where that fails, the frame comes again, and its second result is recognised by frame_id.
            if item.delivery.ack() and message is not None:
                self._count(item, message, now)
                if self._spans is not None:
                    self._spans.settled(item, message, now, time.perf_counter())
        except Exception:
            log.exception("a frame that has its result could not be counted")
        self._released(item.arrival)

    def _count(self, item: Completion, message: Message, now: float) -> None:
        arrival, outcome = item.arrival, item.outcome
        sender = arrival.intake.sender
        if isinstance(outcome, PutBack):
            return
        if isinstance(outcome, Failed) and message.routing_key in arrival.intake.retries:
            self._metrics.retried(outcome.reason, sender)
            return
        if arrival.of_job:
            # Answered is settled, whatever the answer: what fails there is a matter of the job alone.
            self._tally.settled(ok=True)
            seconds = arrival.age + now - arrival.at
            self._metrics.item_settled(outcome, seconds, now - item.computed, len(item.delivery.body))
            return
        if isinstance(outcome, Failed):
            self._tally.settled(ok=False)
        else:
            self._reply(reply_message(outcome.result, arrival), arrival)
            if isinstance(outcome, Computed):
                self._tally.settled(ok=True)
            else:
                self._tally.expire()
        age = None if arrival.intake.lane is Lane.REMOTE else arrival.age + now - arrival.at
        exemplar = None if arrival.trace is None else arrival.trace.exemplar
        publish = now - item.computed
        live = arrival.intake.lane is not Lane.BATCH
        self._metrics.settled(
            outcome, age=age if live else None, publish=publish, sender=sender, exemplar=exemplar
        )
        if isinstance(outcome, Failed):
            self._tell_failure(item, outcome)

    def _tell_failure(self, item: Completion, failed: Failed) -> None:
        """Answer whoever asked for the result of a frame that is a dead letter now. Never raises."""
        arrival = item.arrival
        if arrival.delivery.properties.reply_to:
            try:
                self._reply(failed_reply(failed, arrival, self._node_id), arrival)
            except Exception:
                log.exception("nobody could be told why a frame failed", **arrival.words)

    def _reply(self, reply: Message | None, arrival: Arrival) -> None:
        if reply is not None:
            self._publisher.publish(reply)
            return
        sender = arrival.intake.sender
        if sender is not None and arrival.delivery.reply_to:
            self._metrics.reply_refused(sender)
            log.warning(
                "a sender's reply_to is not its own: no reply (its queues are sender.<name>.…, or direct reply-to)",
                sender=sender.name,
                reply_to=arrival.delivery.reply_to,
            )
