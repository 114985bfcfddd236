"""The worker: one thread owns the connections, one computes; they meet in a hand-over of at most PREFETCH frames.

A frame's way: received -> computed -> result published -> confirmed -> acknowledged. Whatever dies in between,
the broker delivers the frame again (docs/guarantees.md).
"""

import queue
import threading
import time
from collections.abc import Callable
from functools import partial

from broker import Delivery, Link, ThreadLoop, from_body, split_urls
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.models import DesiredModels
from contract.status import (
    HEARTBEAT_SECONDS,
    Control,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    parse_control,
    parse_status,
)
from contract.task import TaskHead, parse_head
from contract.topology import CONTROL_EXCHANGE, STATUS_EXCHANGE
from runtime.logs import get_logger
from worker.freshness import Freshness
from worker.heartbeat import State, Tally, heartbeat
from worker.inference import Arrival, Inference
from worker.metrics import WorkerMetrics
from worker.processor import Failed, make_processor
from worker.settings import WorkerSettings
from worker.settler import Completion, Settler
from worker.switchboard import Switchboard
from worker.watched_cameras import WatchedCameras

log = get_logger("worker")

QUIET_SECONDS = 0.2
CLOSE_SECONDS = 4.0
ENSURE_SECONDS = 15.0
"""A deleted result_queue is not noticed by publishing: the exchange still reaches whoever else listens."""


class Worker:
    """A running worker: `start`, wait for `ended` (the reason, or None when asked to), `stop`.

    `ended` is a SimpleQueue because a signal handler may put into it, whatever the main thread is doing.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        switchboard: Switchboard,
        metrics: WorkerMetrics,
        *,
        device_fallback: str | None = None,
    ) -> None:
        self._settings = settings
        self._device_fallback = device_fallback
        self._switchboard = switchboard
        self._metrics = metrics
        self._tally = Tally()
        self._since = time.time()
        self._state: State = "running"
        self._freshness = Freshness()
        self._watched = WatchedCameras(time.monotonic)
        self._processor = make_processor(settings, switchboard)
        self._inference = Inference(settings, switchboard, self._processor, self._computed, self._fail)
        self._held = 0
        self._idle = threading.Event()
        self._idle.set()
        self._unsubscribed = False
        self._cancelled = threading.Event()
        self.ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._loop = ThreadLoop(self._fail)
        self._link = link = Link(
            self._loop, split_urls(settings.amqp_url), f"cv-worker {settings.node_id}", on_fatal=self._fail
        )
        self._publisher = link.publisher(on_void=metrics.voided)
        self._tasks = link.consume(
            settings.lane.queue, self._received, prefetch=settings.held_frames, needed=True
        )
        # What else a worker hears: which cameras are watched, and what time it is at the producers.
        link.listen(CONTROL_EXCHANGE, "", from_body(parse_control), self._control, max_length=100)
        link.listen(STATUS_EXCHANGE, "producer.*", from_body(parse_status), self._status)
        self._settler = Settler(
            self._publisher,
            link,
            settings.lane,
            settings.node_id,
            self._watched,
            metrics,
            self._tally,
            self._release,
        )

    # --- life, from the main thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Start both threads; returns at once."""
        self._inference.start()
        self._switchboard.start(lambda: self._loop.call_soon_threadsafe(self._switched))
        self._loop.start()
        self._link.start()
        self._loop.call_soon_threadsafe(self._beat)
        self._loop.call_soon_threadsafe(self._ensure)

    def missing(self) -> list[str]:
        """List what the worker lacks to compute frames."""
        if not self._loop.alive:
            return ["the thread that talks to the broker"]  # what it said last would be no word on now
        return self._link.missing()

    def stop(self) -> bool:
        """Stop consuming, finish what is held, confirm, acknowledge, close. Returns whether all of it was finished."""
        if not self._loop.alive:
            return False  # the broker delivers the frames at hand again, as soon as this process has ended
        self._state = "draining"
        self._loop.call_soon_threadsafe(self._drain)
        deadline = time.monotonic() + self._settings.grace_seconds
        self._cancelled.wait(self._settings.grace_seconds)
        # After the broker's agreement no delivery can be under way to us: what is held now is all there is.
        finished = self._idle.wait(max(0.0, deadline - time.monotonic()))
        if not finished:
            log.warning(
                "grace period over: the broker will deliver the frames at hand again", held=self._held
            )
        self._state = "stopped"
        closed = threading.Event()
        self._loop.call_soon_threadsafe(partial(self._close, closed.set))
        closed.wait(CLOSE_SECONDS)
        self._inference.stop()
        self._switchboard.stop()
        self._loop.stop()
        return finished

    # --- on the inference thread ------------------------------------------------------------------------

    def _computed(self, items: list[Completion], seconds: float) -> None:
        self._metrics.computed(len(items), seconds)
        self._tally.busy(seconds)
        self._loop.call_soon_threadsafe(partial(self._settle, items))

    # --- on the connection's thread ---------------------------------------------------------------------

    def _settle(self, items: list[Completion]) -> None:
        for item in items:
            self._settler.settle(item)

    def _received(self, delivery: Delivery) -> None:
        self._held += 1
        self._idle.clear()
        try:
            self._take(delivery)
        except Exception as error:
            log.exception("a message could not be taken", message_id=delivery.message_id)
            now = time.perf_counter()
            failed = Failed(FailureReason.WORKER_ERROR, f"{type(error).__name__}: {error}")
            self._settler.settle(Completion(delivery, failed, 0.0, now, now))
        if self._state == "running":
            self._tasks.set_prefetch(self._freshness.prefetch(self._settings.held_frames))
        elif self._tasks.full:
            self._unsubscribe()

    def _take(self, delivery: Delivery) -> None:
        head = _head(delivery)
        age = 0.0
        if head is not None:
            aged = self._freshness.age(delivery, head)
            age = aged.seconds
            if aged.skewed:
                self._metrics.skewed()
        arrival = Arrival(delivery, head.camera_id if head else "", age, time.perf_counter())
        stale = head is not None and self._processor.stale(age)
        if head is not None and stale:
            expired = self._processor.expire(head, age)
            self._settler.settle(Completion(delivery, expired, age, arrival.at, arrival.at))
        else:
            self._inference.put(arrival)
        self._freshness.note(stale)

    def _drain(self) -> None:
        """Stop consuming at a moment when no frame is under way to us: when we hold all that we may.

        Until then nothing is acknowledged. If so many do not come, the queue is empty.
        """
        self._settler.keep_acknowledgements()
        if self._tasks.full:
            self._unsubscribe()
        else:
            self._loop.call_later(QUIET_SECONDS, self._unsubscribe)

    def _unsubscribe(self) -> None:
        def done() -> None:
            self._settler.release_acknowledgements()
            self._cancelled.set()

        if not self._unsubscribed:
            self._unsubscribed = True
            self._tasks.cancel(done)

    def _release(self) -> None:
        self._held -= 1
        if not self._held:
            self._idle.set()

    def _control(self, control: Control) -> None:
        if isinstance(control, WatchAnnouncement):
            self._watched.hear(control)
        elif isinstance(control, DesiredModels):
            self._switchboard.hear(control)

    def _status(self, status: Status) -> None:
        if isinstance(status, ProducerStatus):
            self._freshness.hear(status)

    def _switched(self) -> None:
        """Say at once what computes now, or why the new one does not."""
        self._metrics.model(self._switchboard.routes)
        self._say()

    def _beat(self) -> None:
        self._say()
        if self._state != "stopped":
            self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    def _say(self) -> None:
        self._publisher.publish(
            heartbeat(
                self._settings,
                self._switchboard.routes,
                self._tally,
                self._state,
                self._since,
                self._device_fallback,
            )
        )

    def _ensure(self) -> None:
        self._link.ensure_topology()
        if self._state == "running":
            self._loop.call_later(ENSURE_SECONDS, self._ensure)

    def _close(self, closed: Callable[[], None]) -> None:
        self._say()  # the last one says `stopped`
        self._link.close(closed)

    def _fail(self, reason: str) -> None:
        self.ended.put(reason)


def _head(delivery: Delivery) -> TaskHead | None:
    """The task without its image; None for what is none, which the inference thread then says in detail."""
    try:
        return parse_head(
            delivery.body,
            content_type=delivery.content_type,
            headers=delivery.headers,
            message_id=delivery.message_id,
        )
    except InvalidTask:
        return None
