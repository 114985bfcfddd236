"""From slots to the task queue: encodes, publishes with confirms, hears the replies. On the event loop only."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from broker import Consumer, Delivery, Outcome, Publisher, QueueDepth, Role
from broker.aio import publish
from broker.backoff import compute_backoff
from contract.result import parse_result
from contract.status import LaneLoad
from contract.task import MAX_BODY_BYTES
from contract.topology import EphemeralQueue, Lane
from producer.camera.served import Served
from producer.catalogue.wanted import Wanted
from producer.frames import Encoded, Frame
from producer.lane.flow import Flow
from producer.lane.message import Form, message_of, picture_of
from producer.lane.peers import Neighbours
from producer.lane.wish import Wish, wish_id
from producer.metrics import ProducerMetrics
from runtime.logs import get_logger

log: Any = get_logger("producer")

PUBLISH_TIMEOUT = 5.0
REPORT_SECONDS = 30.0  # drops are told at most this often


class Sender:
    """Sends the frames of all cameras. Attach its `publisher` and its `listeners` to connections, not to the same one:
    in a broker alarm the publishing one is not read.

    Live frames go through `offer`: newest wins, the cameras in turn, as many outstanding as the window allows.
    `deliver` is for frames that must not be lost: it returns when the broker has confirmed.
    """

    def __init__(self, form: Form, served: Mapping[str, Served], metrics: ProducerMetrics) -> None:
        self._flows: dict[Lane, Flow[Frame | Wish]] = {}  # each lane has workers of its own, and so a window
        self.publisher = Publisher(timeout=PUBLISH_TIMEOUT, on_ready=self._wake)
        self.replies = Consumer(
            EphemeralQueue(max_length=10_000),
            self._replied,
            no_ack=True,
            on_subscribed=self._listening,
            on_lost=self._deaf,
        )
        self.depth = QueueDepth()
        self.neighbours = Neighbours()
        self.ensure_queue: Callable[[], None] = lambda: None  # declares the lanes' queues again
        self._form = form
        self._served = served
        self._metrics = metrics
        self._reply_to: str | None = None
        self._scheduled = False
        self._encoding: set[asyncio.Task[None]] = set()
        self._silent: set[Lane] = set()
        self._untold: Counter[str] = Counter()
        self._told_at = float("-inf")

    @property
    def listeners(self) -> list[Role]:
        """What hears from the broker."""
        return [self.replies, self.depth]

    @property
    def idle(self) -> bool:
        """Nothing waits, is encoded or lacks its confirm."""
        return not (self.waiting or self._encoding or self.publisher.outstanding)

    @property
    def cameras(self) -> int:
        """Those that take turns."""
        return sum(flow.cameras for flow in self._flows.values())

    @property
    def waiting(self) -> int:
        """Frames in slots."""
        return sum(flow.waiting for flow in self._flows.values())

    @property
    def outstanding(self) -> int:
        """Frames whose result is awaited."""
        return sum(flow.outstanding for flow in self._flows.values())

    @property
    def window(self) -> int:
        """Frames that may be outstanding at once."""
        return sum(flow.window.size for flow in self._flows.values())

    @property
    def lanes(self) -> dict[str, LaneLoad]:
        """How each lane is filled, for other producers."""
        return {lane.value: _load(flow) for lane, flow in self._flows.items()}

    def weigh(self, wanted: Wanted) -> None:
        """The camera gets turns in its lane by its priority, and in no other."""
        for lane in [lane for lane in self._flows if lane is not wanted.lane]:
            self._forget(wanted.camera_id, lane)
        self._flow(wanted.lane).weigh(wanted.camera_id, wanted.priority)

    def forget(self, camera_id: str) -> None:
        """The camera is no longer served here."""
        for lane in self._flows:
            self._forget(camera_id, lane)

    async def turn(self, camera_id: str, lane: Lane, patience: float) -> bool:
        """Wait until it is this camera's turn, at most `patience` seconds; returns whether it is.

        The turn is held, and counts as a frame under way, until `offer` or `give_back`.
        """
        wish = Wish(camera_id)
        self._put(wish, lane)
        try:
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes with the result.
            async with asyncio.timeout(patience):
                await wish.granted
        except TimeoutError:
            return False  # it stays in line, for the frame that is offered next
        except asyncio.CancelledError:
            self.give_back(camera_id)  # it may have been granted in this very moment
            raise
        return True

    def give_back(self, camera_id: str) -> None:
        """The turn is not used."""
        for flow in self._flows.values():
            if flow.knows(wish_id(camera_id)):
                flow.failed(wish_id(camera_id), time.monotonic())
        self._wake()

    def offer(self, frame: Frame, *, held: bool = False) -> None:
        """Send a live frame at once if its camera's turn is `held`; else put it into the camera's slot.

        The frame that it replaces there is counted.
        """
        if held and self._flow(frame.lane).exchange(wish_id(frame.camera_id), frame.frame_id):
            self._dispatch(frame)
            return
        self._put(frame, frame.lane)

    def _put(self, item: Frame | Wish, lane: Lane) -> None:
        replaced = self._flow(lane).offer(item)
        if isinstance(replaced, Frame):
            self._drop(replaced, "replaced")
        self._wake()

    async def deliver(self, frame: Frame) -> None:
        """Publish a frame that must not be lost, again and again until the broker confirms it, or never will."""
        encoded = await asyncio.to_thread(picture_of, frame, self._form)
        if isinstance(encoded, str):
            self._drop(frame, encoded)
            return
        message = message_of(frame, encoded, self._form, None)
        camera = self._served[frame.camera_id].camera
        camera.waiting_for_queue = True
        attempt = 0
        while (outcome := await publish(self.publisher, message)) is not Outcome.CONFIRMED:
            if outcome is Outcome.REFUSED:
                camera.waiting_for_queue = False
                self._drop(frame, outcome.value)
                log.warning(
                    "frame left out: the broker refuses its message, and its log says why",
                    camera_id=frame.camera_id,
                    frame_id=frame.frame_id,
                    bytes=len(message.body),
                )
                return
            self._tell_waiting(frame, outcome)
            if outcome is Outcome.UNROUTABLE:
                self.ensure_queue()
            await asyncio.sleep(compute_backoff(attempt, base=0.1, cap=2.0))
            attempt += 1
        camera.waiting_for_queue = False
        self._confirmed(frame)

    def _tell_waiting(self, frame: Frame, outcome: Outcome) -> None:
        now = time.monotonic()
        if now - self._told_at >= REPORT_SECONDS:
            self._told_at = now
            log.info("waiting for the queue", camera_id=frame.camera_id, reason=outcome.value)

    def tick(self) -> None:
        """A few times a second: give up on late replies, send what may be sent, tell what was dropped."""
        now = time.monotonic()
        for lane, flow in self._flows.items():
            queue = lane.queue
            taken = self.depth.consumers.get(queue, 0) > 0 and self.depth.messages.get(queue) == 0
            for camera_id in flow.give_up(now, taken=taken):
                self._metrics.missing_replies.labels(camera_id).inc()
                self._unseen(camera_id)
            self._tell_silence(lane, flow)
            flow.window.grow_by(self.neighbours.gain(lane, _load(flow), now))
        if self._untold and now - self._told_at >= REPORT_SECONDS:
            self._told_at = now
            log.warning("frames dropped", reasons=dict(self._untold))
            self._untold.clear()
        self._metrics.outstanding.set(self.outstanding)
        self._metrics.window.set(self.window)
        self._wake()

    def _tell_silence(self, lane: Lane, flow: Flow[Frame | Wish]) -> None:
        if flow.window.silent and lane not in self._silent:
            self._silent.add(lane)
            log.warning("no worker answers: sending a frame now and then", queue=lane.queue)
        elif not flow.window.silent and lane in self._silent:
            self._silent.remove(lane)
            log.info("workers answer again", queue=lane.queue)

    def _flow(self, lane: Lane) -> Flow[Frame | Wish]:
        if lane not in self._flows:
            self._flows[lane] = Flow()
            self.depth.watch(lane.queue)
        return self._flows[lane]

    def _forget(self, camera_id: str, lane: Lane) -> None:
        item = self._flows[lane].forget(camera_id)
        if isinstance(item, Frame):
            self._drop(item, "handed_over")

    # --- sending ----------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        # Without a reply queue nothing could be answered; while the broker is away frames stay in their slots.
        while self._reply_to is not None and self.publisher.usable:
            item = self._next(time.monotonic())
            if item is None:
                return
            if isinstance(item, Frame):
                self._dispatch(item)
            elif item.granted.done():  # nobody waits for it any more
                self.give_back(item.camera_id)
            else:
                item.granted.set_result(None)

    def _next(self, now: float) -> Frame | Wish | None:
        taken = (flow.take(now) for flow in self._flows.values())
        return next((item for item in taken if item is not None), None)

    def _dispatch(self, frame: Frame) -> None:
        """It is outstanding: encode it, if need be, and publish it."""
        if isinstance(frame.picture, Encoded) and len(frame.picture.data) < MAX_BODY_BYTES // 2:
            self._send(frame, frame.picture)
        else:
            task = asyncio.create_task(self._encode_and_send(frame))
            self._encoding.add(task)
            task.add_done_callback(self._encoding.discard)

    async def _encode_and_send(self, frame: Frame) -> None:
        self._send(frame, await asyncio.to_thread(picture_of, frame, self._form))

    def _send(self, frame: Frame, encoded: Encoded | str) -> None:
        if isinstance(encoded, str):
            self._failed(frame, encoded)
            return
        if frame.lane is Lane.LIVE and time.time() - frame.timestamp > self._form.staleness:
            self._failed(frame, "stale")  # it waited here so long that a worker would not compute it
            return
        message = message_of(frame, encoded, self._form, self._reply_to)
        self._flows[frame.lane].sent(frame.frame_id, time.monotonic(), time.time() - frame.timestamp)
        self.publisher.publish(message, lambda outcome: self._outcome(frame, outcome))

    # --- what became of it ------------------------------------------------------------------------------

    def _outcome(self, frame: Frame, outcome: Outcome) -> None:
        if outcome is Outcome.CONFIRMED:
            self._confirmed(frame)
            return
        if outcome is Outcome.UNROUTABLE:
            self.ensure_queue()
        self._failed(frame, outcome.value, queue_full=outcome is Outcome.REJECTED)

    def _confirmed(self, frame: Frame) -> None:
        served = self._served.get(frame.camera_id)
        if served is not None:  # it may have been removed meanwhile
            served.camera.sent += 1
            self._metrics.sent.labels(frame.camera_id).inc()

    def _failed(self, frame: Frame, reason: str, *, queue_full: bool = False) -> None:
        self._drop(frame, reason)
        self._unseen(frame.camera_id)
        self._flows[frame.lane].failed(frame.frame_id, time.monotonic(), queue_full=queue_full)
        self._wake()

    def _drop(self, frame: Frame, reason: str) -> None:
        served = self._served.get(frame.camera_id)
        if served is not None:
            served.camera.dropped[reason] += 1
            self._metrics.dropped.labels(frame.camera_id, reason).inc()
        if reason not in ("replaced", "handed_over"):  # those are how live sources and sharing work
            self._untold[reason] += 1

    def _unseen(self, camera_id: str) -> None:
        """A frame of this camera was not computed: its gate must not compare with it."""
        served = self._served.get(camera_id)
        if served is not None and served.view is not None:
            served.view.lost()

    def _replied(self, delivery: Delivery) -> None:
        try:
            result = parse_result(delivery.body)
        except ValueError:
            log.warning("a reply is no result", correlation_id=delivery.correlation_id)
            return
        if result.status != "ok":
            self._unseen(result.camera_id)
        frame_id = delivery.correlation_id or result.frame_id
        flow = self._flow_of(frame_id, result.camera_id)
        if flow is not None:
            flow.answered(frame_id, result.queue_seconds, result.processing_seconds, time.monotonic())
        self._wake()

    def _flow_of(self, frame_id: str, camera_id: str) -> Flow[Frame | Wish] | None:
        """The one that awaits this frame; of one given up before, the one that it probably was in."""
        for flow in self._flows.values():
            if flow.knows(frame_id):
                return flow
        served = self._served.get(camera_id)
        return self._flows.get(served.wanted.lane) if served is not None else None

    def _listening(self, queue_name: str) -> None:
        self._reply_to = queue_name
        self._wake()

    def _deaf(self) -> None:
        self._reply_to = None
        for flow in self._flows.values():
            for camera_id in flow.reset():
                self._metrics.missing_replies.labels(camera_id).inc()
                self._unseen(camera_id)


def _load(flow: Flow[Frame | Wish]) -> LaneLoad:
    return LaneLoad(window=flow.window.size, weight=flow.weight)
