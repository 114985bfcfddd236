"""The worker: one thread owns the connections, one computes; they meet in a hand-over of at most `prefetch` frames.

A frame's way: received -> computed -> result published -> confirmed -> acknowledged. Whatever dies in between,
the broker delivers the frame again (DESIGN §4, promises 1 and 2).
"""

import queue
import threading
import time
from collections.abc import Callable
from functools import partial

from broker import Connection, Consumer, Delivery, Message, Outcome, Publisher, ThreadLoop, split_urls
from broker.backoff import compute_backoff
from contract.status import HEARTBEAT_SECONDS, parse_watch
from contract.topology import CONTROL_EXCHANGE, EphemeralQueue, Lane
from runtime.logs import get_logger
from worker.choice import Choice
from worker.heartbeat import State, Tally, heartbeat
from worker.messages import dead_letter, picture_message, reply_message, result_message
from worker.metrics import WorkerMetrics
from worker.processor import Computed, Failed, Processed, Processor
from worker.settings import WorkerSettings
from worker.watched import WatchedCameras

log = get_logger("worker")


class Worker:
    """A running worker: `start`, wait for `ended` (the reason, or None when asked to), `stop`.

    `ended` is a SimpleQueue because a signal handler may put into it, whatever the main thread is doing.
    """

    def __init__(self, settings: WorkerSettings, choice: Choice, metrics: WorkerMetrics) -> None:
        self._settings = settings
        self._choice = choice
        self._metrics = metrics
        self._tally = Tally()
        self._since = time.time()
        self._state: State = "running"
        self._watched = WatchedCameras(time.monotonic)
        self._processor = Processor(
            choice.detector,
            settings.node_id,
            staleness=settings.staleness_seconds if settings.lane is Lane.LIVE else None,
            max_pixels=settings.max_pixels,
        )
        self._inbox: queue.SimpleQueue[tuple[Delivery, float] | None] = queue.SimpleQueue()
        self._inference = threading.Thread(target=self._infer, name="inference", daemon=True)
        self._held = 0
        self._idle = threading.Event()
        self._idle.set()
        self.ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._loop = ThreadLoop(self._fail)
        self._publisher = Publisher(window=10 * settings.prefetch + 100)
        self._tasks = Consumer(settings.lane.queue, self._received, prefetch=settings.prefetch)
        control = Consumer(
            EphemeralQueue(((CONTROL_EXCHANGE, ""),), max_length=100), self._control, no_ack=True
        )
        # Two connections: in a broker alarm the publishing one is not read, and acknowledgements must be.
        urls = split_urls(settings.amqp_url)
        name = f"cv-worker {settings.node_id}"
        self._publishing = Connection(
            self._loop, urls, f"{name} publish", [self._publisher], on_fatal=self._fail
        )
        self._consuming = Connection(
            self._loop, urls, f"{name} consume", [self._tasks, control], on_fatal=self._fail
        )

    # --- life, from the main thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Start both threads; returns at once."""
        self._inference.start()
        self._loop.start()
        self._publishing.start()
        self._consuming.start()
        self._loop.call_soon_threadsafe(self._beat)

    def missing(self) -> list[str]:
        """What readiness lacks."""
        lacks = []
        if not self._publishing.ready or not self._publisher.attached:
            lacks.append("a connection to the broker for results")
        if not self._tasks.subscribed:
            lacks.append(f"a subscription to {self._settings.lane.queue}")
        return lacks

    def stop(self) -> bool:
        """Stop consuming, finish what is held, confirm, acknowledge, close. Whether all of it was finished."""
        self._state = "draining"
        cancelled = threading.Event()
        self._loop.call_soon_threadsafe(partial(self._tasks.cancel, cancelled.set))
        deadline = time.monotonic() + self._settings.grace_seconds
        cancelled.wait(self._settings.grace_seconds)
        # After the broker's agreement no delivery can be under way to us: what is held now is all there is.
        finished = self._idle.wait(max(0.0, deadline - time.monotonic()))
        if not finished:
            log.warning(
                "grace period over: the broker will deliver the frames at hand again", held=self._held
            )
        self._state = "stopped"
        closed = threading.Semaphore(0)
        self._loop.call_soon_threadsafe(partial(self._close, closed.release))
        for _ in range(2):
            closed.acquire(timeout=2)
        self._inbox.put(None)
        self._loop.stop()
        return finished

    # --- on the inference thread ------------------------------------------------------------------------

    def _infer(self) -> None:
        try:
            self._compute_all()
        except Exception as error:
            log.exception("the inference thread crashed")
            self._fail(f"the inference thread crashed: {type(error).__name__}: {error}")

    def _compute_all(self) -> None:
        while (item := self._inbox.get()) is not None:
            delivery, received = item
            started = time.perf_counter()
            outcome = self._processor.process(
                delivery.body,
                content_type=delivery.content_type,
                headers=delivery.headers,
                message_id=delivery.message_id,
                received=received,
            )
            seconds = time.perf_counter() - started
            self._metrics.busy(seconds)
            self._tally.busy(seconds)
            self._loop.call_soon_threadsafe(partial(self._computed, delivery, outcome))

    # --- on the connection's thread ---------------------------------------------------------------------

    def _received(self, delivery: Delivery) -> None:
        self._held += 1
        self._idle.clear()
        self._inbox.put((delivery, time.time()))

    def _computed(self, delivery: Delivery, outcome: Processed) -> None:
        if isinstance(outcome, Failed):
            log.warning(
                "frame dead-lettered",
                reason=outcome.reason.value,
                error=outcome.error[:200],
                message_id=delivery.message_id,
            )
            message = dead_letter(outcome, delivery, self._settings.node_id)
        else:
            message = result_message(outcome.result)
            if isinstance(outcome, Computed) and outcome.result.camera_id in self._watched:
                self._publisher.publish(picture_message(outcome))
        self._publish(delivery, outcome, message, time.perf_counter(), 0)

    def _publish(
        self, delivery: Delivery, outcome: Processed, message: Message, started: float, attempt: int
    ) -> None:
        """Publish until it is confirmed: a worker holds its frame while the broker takes no results."""
        if not delivery.open:
            self._release()  # the broker has taken the frame back, and somebody else computes it
            return

        def done(result: Outcome) -> None:
            if result is Outcome.CONFIRMED:
                self._settle(delivery, outcome, time.perf_counter() - started)
                return
            delay = compute_backoff(attempt, cap=2.0)
            if attempt == 0:
                log.warning(
                    "result not taken: holding the frame", outcome=result.value, retry_in=round(delay, 2)
                )
            if result is Outcome.UNROUTABLE:
                self._publishing.ensure_topology()  # somebody deleted a queue
            again = partial(self._publish, delivery, outcome, message, started, attempt + 1)
            self._loop.call_later(delay, again)

        self._publisher.publish(message, done)

    def _settle(self, delivery: Delivery, outcome: Processed, publish_seconds: float) -> None:
        if delivery.ack():
            self._metrics.settled(outcome, publish_seconds, time.time())
            if not isinstance(outcome, Failed):
                reply = reply_message(outcome.result, delivery)
                if reply is not None:
                    self._publisher.publish(reply)
            if isinstance(outcome, Computed | Failed):
                self._tally.settled(isinstance(outcome, Computed))
        self._release()

    def _release(self) -> None:
        self._held -= 1
        if not self._held:
            self._idle.set()

    def _control(self, delivery: Delivery) -> None:
        try:
            self._watched.hear(parse_watch(delivery.body))
        except ValueError as error:
            log.warning("control message ignored", error=str(error))

    def _beat(self) -> None:
        self._publisher.publish(
            heartbeat(self._settings, self._choice, self._tally, self._state, self._since)
        )
        if self._state != "stopped":
            self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    def _close(self, closed: Callable[[], None]) -> None:
        self._beat()  # the last one says `stopped`
        self._consuming.stop(closed)
        self._publishing.stop(closed)

    def _fail(self, reason: str) -> None:
        self.ended.put(reason)
