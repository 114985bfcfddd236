"""The worker: one thread owns the connections, one computes; they meet in a hand-over of at most PREFETCH frames.

A frame's way: received -> computed -> result published -> confirmed -> acknowledged. Whatever dies in between,
the broker delivers the frame again (docs/guarantees.md).
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from broker import Delivery, Link, ThreadLoop, from_body, split_urls
from contract.drains import DesiredDrains
from contract.failures import FailureReason
from contract.models import DesiredModels
from contract.remote import DesiredRemote
from contract.senders import Sender, Senders
from contract.status import (
    HEARTBEAT_SECONDS,
    CamerasStatus,
    Control,
    ProducerStatus,
    Status,
    WatchAnnouncement,
    kept_routing_key,
    parse_control,
    parse_status,
)
from contract.topology import CONTROL_EXCHANGE, STATUS_EXCHANGE
from runtime.logs import get_logger
from runtime.tracing import Tracing
from worker.arrival import Arrival, Completion
from worker.camera_quota import CameraQuota
from worker.consumption import Consumption
from worker.frame_spans import FrameSpans
from worker.freshness import Freshness
from worker.heartbeat import State, Tally, heartbeat
from worker.inference import Inference
from worker.intake import Intake
from worker.messages import picture_message
from worker.metrics import WorkerMetrics
from worker.newest_frames import NewestFrames
from worker.processor import Failed, Processor, make_processor
from worker.recent_frames import RecentFrames
from worker.reception import Reception
from worker.remote.board import RemoteBoard
from worker.remote.given import Remote
from worker.remote.held import CallsHeld
from worker.sender_consumers import weights
from worker.settings import WorkerSettings
from worker.settler import Settler
from worker.switchboard import Switchboard
from worker.watched_cameras import WatchedCameras

if TYPE_CHECKING:
    from worker.remote.engine import RemoteEngine

log = get_logger("worker")

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
        switchboard: Switchboard | RemoteBoard,
        metrics: WorkerMetrics,
        *,
        device_fallback: str | None = None,
        tracing: Tracing | None = None,
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
        self._recent = RecentFrames(time.monotonic)
        self._newest = NewestFrames(time.monotonic)
        self._processor: Processor | None = None
        self._inference: Inference | RemoteEngine
        self._remote: RemoteEngine | None = None
        if isinstance(switchboard, RemoteBoard):
            self._inference = self._remote = self._make_remote(switchboard.remote)
        else:
            self._processor = make_processor(settings, switchboard)
            self._inference = Inference(settings, switchboard, self._processor, self._computed, self._fail)
        self._holding: CallsHeld | None = None
        self._held = 0
        self._idle = threading.Event()
        self._idle.set()
        self._cancelled = threading.Event()
        self.ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._loop = ThreadLoop(self._fail)
        self._link = link = Link(
            self._loop,
            split_urls(settings.amqp_url),
            f"cv-worker {settings.node_id}",
            on_fatal=self._fail,
            counts=metrics.link,
        )
        # It says that it is there as soon as it can: whoever expects it looks for it before its next heartbeat.
        self._publisher = link.publisher(on_ready=self._say, on_void=metrics.voided)
        self._cameras = CameraQuota()
        spans = None if tracing is None else FrameSpans(tracing, settings.node_id)
        self._reception = Reception(self._freshness, self._cameras, metrics, spans)
        # What else a worker hears: which cameras are watched, and what time it is at the producers.
        link.listen(CONTROL_EXCHANGE, "", from_body(parse_control), self._control, max_length=100)
        heard = "producer.*" if self._remote is None else ("producer.*", "cameras.*")
        link.listen(STATUS_EXCHANGE, heard, from_body(parse_status), self._status)
        self._settler = Settler(
            self._publisher,
            link,
            settings.node_id,
            self._watched,
            self._recent,
            self._newest,
            metrics,
            self._tally,
            self._release,
            spans,
        )
        self._consumption = Consumption(
            link,
            settings.lane,
            self._received,
            self._senders_changed,
            self._settler,
            prefetch=settings.held_frames,
        )
        self._drains = DesiredDrains()
        self._drained = False
        self._consumption.resume()

    def _make_remote(self, remote: Remote) -> "RemoteEngine":
        from worker.remote.engine import RemoteEngine  # an HTTP client comes with it

        return RemoteEngine(
            self._settings,
            remote,
            completed=self._computed,
            failed=self._fail,
            held=lambda held: self._loop.call_soon_threadsafe(partial(self._hold, held)),
            released=lambda: self._loop.call_soon_threadsafe(partial(self._hold, None)),
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
        self._loop.call_soon_threadsafe(self._watch_loop)

    def missing(self) -> list[str]:
        """List what the worker lacks to compute frames."""
        if not self._loop.alive:
            return ["the thread that talks to the broker"]  # what it said last would be no word on now
        if self._state != "running":
            return ["more frames: it is stopping, and finishes what it holds"]
        return self._link.missing()

    @property
    def condition(self) -> str:
        """What a worker that lacks nothing is: ready, or out of work because an operator wants it so."""
        if self._holding is not None:
            return f"paused: {self._holding.reason}"
        return "drained" if self._drained else "draining" if self._out_of_work else "ready"

    def stop(self) -> bool:
        """Stop consuming, finish what is held, confirm, acknowledge, close. Returns whether all of it was finished."""
        if not self._loop.alive:
            return False  # the broker delivers the frames at hand again, as soon as this process has ended
        self._state = "draining"
        self._loop.call_soon_threadsafe(self._drain)
        deadline = time.monotonic() + self._settings.drain_seconds
        self._cancelled.wait(self._settings.drain_seconds)
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
        sender = items[0].arrival.intake.sender
        if sender is not None:
            self._metrics.sender_computed(sender, seconds)
        self._loop.call_soon_threadsafe(partial(self._settle, items))

    # --- on the connection's thread ---------------------------------------------------------------------

    def _settle(self, items: list[Completion]) -> None:
        for item in items:
            self._settler.settle(item)

    def _received(self, intake: Intake, delivery: Delivery) -> None:
        self._held += 1
        self._idle.clear()
        try:
            self._take(self._reception.arrival(intake, delivery))
        except Exception as error:
            log.exception("a message could not be taken", message_id=delivery.message_id)
            now = time.perf_counter()
            failed = Failed(FailureReason.WORKER_ERROR, f"{type(error).__name__}: {error}")
            self._settler.settle(Completion(Arrival(intake, delivery, at=now), failed, now))
        if self._state == "running" and intake.sender is None:
            self._consumption.set_prefetch(self._freshness.prefetch(self._settings.held_frames))

    def _take(self, arrival: Arrival) -> None:
        """Hand it to the inference thread. What is stale in the lane's own queue is settled at once.

        Whatever a sender sends waits for its turn: to refuse and to expire costs time, too.
        """
        if arrival.intake.sender is not None:
            self._inference.put(arrival)
            return
        stale = False
        if self._processor is not None and arrival.head is not None and self._processor.stale(arrival.age):
            stale = True
            expired = self._processor.expire(arrival.head, arrival.age)
            self._settler.settle(Completion(arrival, expired, arrival.at))
        else:
            self._inference.put(arrival)
        self._freshness.note(stale)

    def _drain(self) -> None:
        """Stop consuming for good."""
        self._inference.hurry()
        self._consumption.end(self._cancelled.set)

    def _release(self, arrival: Arrival) -> None:
        self._inference.settled(arrival)
        self._held -= 1
        if not self._held:
            self._idle.set()
            self._note_drained()

    def _senders_changed(self, senders: Sequence[Sender]) -> None:
        names = frozenset(sender.name for sender in senders)
        self._inference.weigh(weights(self._settings.lane, senders))
        self._metrics.senders(names)
        self._cameras.keep(names)

    def _control(self, control: Control) -> None:
        if isinstance(control, WatchAnnouncement):
            self._watched.hear(control)
            self._send_kept(control)
        elif isinstance(control, DesiredModels):
            self._switchboard.hear(control)
        elif isinstance(control, DesiredDrains):
            self._hear_drains(control)
        elif isinstance(control, DesiredRemote):
            if self._remote is not None:
                self._remote.hear(control)
        elif isinstance(control, Senders) and self._state == "running":
            self._consumption.hear(control)

    @property
    def _out_of_work(self) -> bool:
        """An operator wants this worker to take no frames."""
        return self._settings.node_id in self._drains.nodes

    def _hear_drains(self, desired: DesiredDrains) -> None:
        """Take what operators desire; an older revision than the last one is not news."""
        if desired.revision <= self._drains.revision:
            return
        before = self._out_of_work
        self._drains = desired
        drain = desired.nodes.get(self._settings.node_id)
        self._metrics.drained(drain is not None)
        if drain is not None and not before:
            log.warning("draining: an operator wants no more frames here", by=drain.by, held=self._held)
            self._consumption.pause(self._note_drained)
        elif drain is None and before:
            log.info("taking frames again: an operator called this worker back")
            self._drained = False
            if self._holding is None:
                self._consumption.resume()
        self._say()

    def _hold(self, held: CallsHeld | None) -> None:
        """Take no frames while nothing may be sent to the remote endpoint; None: take them again."""
        self._holding = held
        if held is not None:
            self._consumption.pause(lambda: None)
        elif not self._out_of_work:
            self._consumption.resume()
        self._say()

    def _note_drained(self) -> None:
        """Say that an operator's drain is complete, once it is."""
        if self._out_of_work and not self._drained and not self._held and self._consumption.paused:
            self._drained = True
            log.info("drained: every frame at hand is settled, and no more are taken")
            self._say()

    def _send_kept(self, wanted: WatchAnnouncement) -> None:
        """Send the frames that are still here; what another worker computed, that one sends."""
        for frame_id in wanted.frames:
            computed = self._newest.find(frame_id) or self._recent.take(frame_id)
            if computed is not None:
                self._publisher.publish(picture_message(computed, kept_routing_key(wanted.gateway_id)))

    def _status(self, status: Status) -> None:
        if isinstance(status, ProducerStatus):
            self._freshness.hear(status)
        elif isinstance(status, CamerasStatus) and self._remote is not None:
            self._remote.hear_cameras(status)

    def _switched(self) -> None:
        """Say at once what computes now, or why the new one does not."""
        self._metrics.model(self._switchboard.routes)
        self._say()

    def _beat(self) -> None:
        self._say()
        self._recent.tidy()
        self._newest.tidy()
        if self._state != "stopped":
            self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    def _say(self) -> None:
        self._publisher.publish(
            heartbeat(
                self._settings,
                self._switchboard.routes,
                self._tally,
                "draining" if self._state == "running" and self._out_of_work else self._state,
                self._since,
                self._device_fallback,
                drains=self._drains.revision,
                drained=self._drained,
                remote=None if self._remote is None else self._remote.report,
            )
        )

    def _ensure(self) -> None:
        self._link.ensure_topology()
        if self._state == "running":
            self._loop.call_later(ENSURE_SECONDS, self._ensure)

    def _watch_loop(self) -> None:
        self._metrics.service.watch_loop("amqp", self._loop.call_later)  # for as long as it runs

    def _close(self, closed: Callable[[], None]) -> None:
        self._say()  # the last one says `stopped`
        self._link.close(closed)

    def _fail(self, reason: str) -> None:
        self.ended.put(reason)
