"""From the broker into the gateway: live results, pictures, heartbeats; and out: watched cameras, desired models."""

import time
from collections.abc import Callable
from pathlib import Path

from broker import Consumer, Delivery, Message, Publisher, QueueDepth, Role
from contract.failures import STALENESS_SECONDS
from contract.models import DesiredModels
from contract.result import Result, parse_result
from contract.status import (
    CamerasStatus,
    CameraStatus,
    Control,
    NodeStatus,
    ProducerStatus,
    WatchAnnouncement,
    encode_status,
    parse_control,
    parse_status,
)
from contract.topology import (
    CONTROL_EXCHANGE,
    RESULT_QUEUE,
    RESULTS_EXCHANGE,
    STATUS_EXCHANGE,
    TOPOLOGY,
    WATCH_EXCHANGE,
    EphemeralQueue,
    Lane,
)
from gateway.cameras.cameras import Cameras
from gateway.consumers import Gateways, foreign_consumers
from gateway.history.store import Repeat
from gateway.live.hub import Hub
from gateway.live.viewer import Update
from gateway.live.watching import WatchedCameras
from gateway.metrics import GatewayMetrics
from gateway.models.keeper import ModelKeeper
from gateway.nodes import Nodes
from gateway.statistics import Statistics
from runtime.logs import get_logger

log = get_logger("gateway")

MAX_RESULT_BYTES = 1024 * 1024
TASK_QUEUES = [lane.queue for lane in Lane]
KNOWN_SECONDS = 4.0
"""So long after a reconnect it is known who else consumes."""
PICTURE_TYPES = ("image/jpeg", "image/png")


class Feed:
    """The gateway's roles on its connections, and what each message does. Runs on the event loop."""

    def __init__(
        self,
        gateway_id: str,
        *,
        cameras: Cameras,
        nodes: Nodes,
        statistics: Statistics,
        metrics: GatewayMetrics,
        folder: Path,
    ) -> None:
        self.hub = Hub(on_watch=self.follow_viewers)
        self.hub.on_repeated = lambda update: self._repeats(
            "live", update.camera_id, update.frame_id, update.camera_id
        )
        self.wanted_briefly: Callable[[float], frozenset[str]] = lambda now: frozenset()
        """Cameras to watch for one picture, beside those of viewers; asked with the monotonic time."""
        self.on_picture: Callable[[Result, bytes], None] = lambda result, picture: None
        """Hears of every picture."""
        self.on_missed: Callable[[], None] = lambda: None
        """Hears that results of a time without the broker went to others, and cannot be shown here."""
        self.models = ModelKeeper(folder, nodes, self._announce_models)
        self._gateway_id = gateway_id
        self._started = time.monotonic()
        self._cameras = cameras
        self._nodes = nodes
        self._statistics = statistics
        self._metrics = metrics
        self.depth = QueueDepth([queue.name for queue in TOPOLOGY.queues])
        self.publisher = Publisher(window=64, on_ready=self._announce_all)
        self._results = Consumer(
            EphemeralQueue(bindings=((RESULTS_EXCHANGE, "#"),)),
            self._guard("results", lambda delivery: self.result(delivery.body)),
            no_ack=True,
            on_subscribed=self._back,
            on_lost=self._lost,
        )
        self._pictures = Consumer(
            EphemeralQueue(max_length=200, max_bytes=64 * 1024 * 1024),
            self._guard("watch", self._picture),
            no_ack=True,
        )
        self._statuses = Consumer(
            EphemeralQueue(bindings=((STATUS_EXCHANGE, "#"),)),
            self._guard("status", self._status),
            no_ack=True,
        )
        self._control = Consumer(
            EphemeralQueue(bindings=((CONTROL_EXCHANGE, ""),)),
            self._guard("control", self._controlled),
            no_ack=True,
        )
        self._gateways = Gateways(gateway_id)
        self._was_away = False
        self._judged_at = float("inf")  # when it is known who else takes results
        self._watching = WatchedCameras(self._bind, self._announce)

    @property
    def listeners(self) -> list[Role]:
        """For the connection that hears."""
        return [self._results, self._pictures, self._statuses, self._control, self.depth]

    @property
    def subscribed(self) -> bool:
        """Whether results arrive."""
        return self._results.subscribed

    @property
    def waiting(self) -> int | None:
        """Frames in the task queues; None while the broker does not tell."""
        messages = self.depth.messages
        return sum(messages.get(queue, 0) for queue in TASK_QUEUES) if messages else None

    def follow_viewers(self) -> None:
        """Watch what viewers want now."""
        now = time.monotonic()
        self._watching.follow(self.hub.watched, now, self.wanted_briefly(now))

    def tick(self) -> None:
        """Once a second."""
        now = time.monotonic()
        self.follow_viewers()
        self.models.tick(now)
        self._metrics.unsettled.set(self._nodes.unsettled(now))
        self._statistics.depth(self.waiting, time.time())
        self._metrics.queue.clear()  # rather no figure than an old one
        for queue, messages in self.depth.messages.items():
            self._metrics.queue.labels(queue).set(messages)
        self._count_consumers(now)
        if now >= self._judged_at:
            self._judged_at = float("inf")
            if self.depth.consumers.get(RESULT_QUEUE, 0) > 1:
                self.on_missed()

    def _lost(self) -> None:
        self._was_away = True

    def _back(self, _queue: str) -> None:
        if self._was_away:
            self._was_away = False
            self._judged_at = time.monotonic() + KNOWN_SECONDS

    def _count_consumers(self, now: float) -> None:
        self._metrics.foreign_consumers.clear()
        if self.publisher.blocked:  # in a broker alarm nobody can say that they are there
            return
        foreign = foreign_consumers(
            self.depth.consumers, gateways=self._gateways.live(now), nodes=self._nodes.statuses(now)
        )
        for queue, count in foreign.items():
            self._metrics.foreign_consumers.labels(queue).set(count)

    # --- messages ----------------------------------------------------------------------------------------

    def _guard(self, source: str, handle: Callable[[Delivery], None]) -> Callable[[Delivery], None]:
        def received(delivery: Delivery) -> None:
            try:
                handle(delivery)
            except ValueError as error:  # others write here too; what cannot be read is told and left
                self._metrics.invalid.labels(source).inc()
                log.warning(
                    "a message could not be read, and is left out",
                    exchange=source,
                    reason=str(error)[:200],
                    app_id=delivery.app_id,
                )
            except Exception:  # our own mistake must not cost the connection to the broker
                log.exception("a message could not be handled", source=source)

        return received

    def result(self, body: bytes) -> None:
        """A worker's word on a frame, JSON as it came. Raises ValueError if it is none."""
        body = _checked(body)
        result = parse_result(body)
        now, wall = time.monotonic(), time.time()
        self._metrics.results.inc()
        # By the worker's word, which knows the clock that wrote the capture time, and the way from there to here.
        age = result.queue_seconds + result.processing_seconds + max(0.0, wall - result.timestamp)
        self._metrics.result_age.observe(age)
        self._statistics.result(result, wall)
        if result.status == "expired":
            self._cameras.expired(result)
            return  # nothing was computed: no live view moves
        if age > STALENESS_SECONDS:
            self._metrics.stale.inc()
        update = _update(result, now, body)
        if self.hub.publish(update):
            self._cameras.result(result, now, wall)
        else:
            self._metrics.superseded.inc()

    def recorded(self, result: Result, body: bytes) -> None:
        """A result that came by `result_queue`, where nothing is lost while we are away from the broker: those who
        get every result get it now, if it did not come live."""
        now, wall = time.monotonic(), time.time()
        computed = now - max(0.0, wall - result.timestamp)
        if result.status == "expired" or computed < self._started:
            return
        try:
            body = _checked(body)
        except ValueError:
            return  # counted when it came live
        if self.hub.answer(_update(result, now, body), computed):
            self._metrics.late.inc()

    def not_kept(self, repeat: Repeat) -> None:
        """The history has another frame of that frame_id."""
        self._repeats("history", repeat.camera_id, repeat.frame_id, repeat.of)

    def _repeats(self, missing: str, camera_id: str, frame_id: str, of: str) -> None:
        self._metrics.repeated.labels(missing).inc()
        if self._cameras.repeated(camera_id, frame_id, of, time.monotonic(), time.time()):
            log.warning(
                "frame_ids repeat: only the first result of an id is shown and kept; give every frame of every "
                "camera an id of its own",
                camera_id=camera_id,
                frame_id=frame_id,
                of=of,
            )

    def _picture(self, delivery: Delivery) -> None:
        header = delivery.headers.get("result")
        content_type = delivery.content_type or ""
        if not isinstance(header, (str, bytes)) or content_type not in PICTURE_TYPES:
            raise ValueError("no picture")
        body = _checked(header.encode() if isinstance(header, str) else header)
        result = parse_result(body)
        self.on_picture(result, delivery.body)
        self.hub.publish_picture(_update(result, time.monotonic(), body, delivery.body, content_type))

    def _status(self, delivery: Delivery) -> None:
        status = parse_status(delivery.body)
        now, wall = time.monotonic(), time.time()
        match status:
            case NodeStatus():
                self._statistics.failed(self._nodes.heard(status, now, wall), wall)
                self.models.reported(status, now)
            case ProducerStatus():
                self._cameras.producer(status, now, wall)
            case CameraStatus():
                self._cameras.status(status, now, wall)
            case CamerasStatus():
                self._cameras.served(status, now, wall)

    def _controlled(self, delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        match control:  # another gateway's, or our own coming back
            case DesiredModels():
                self.models.heard(control, time.monotonic())
            case WatchAnnouncement():
                self._gateways.heard(control.gateway_id, time.monotonic())

    # --- announcements -----------------------------------------------------------------------------------

    def _announce_all(self) -> None:
        now = time.monotonic()
        self._watching.announce(now)
        self.models.announce(now)

    def _bind(self, camera_id: str, on: bool) -> None:
        if on:
            self._pictures.bind(WATCH_EXCHANGE, camera_id)
        else:
            self._pictures.unbind(WATCH_EXCHANGE, camera_id)

    def _announce(self, cameras: list[str]) -> None:
        self._control_message(WatchAnnouncement(gateway_id=self._gateway_id, cameras=cameras))

    def _announce_models(self, desired: DesiredModels) -> None:
        self._control_message(desired)

    def _control_message(self, control: Control) -> None:
        body = encode_status(control)
        self.publisher.publish(Message(CONTROL_EXCHANGE, "", body, persistent=False, mandatory=False))


def _update(result: Result, now: float, body: bytes, picture: bytes = b"", content_type: str = "") -> Update:
    return Update(
        result.camera_id,
        result.frame_id,
        result.original_timestamp,
        now,
        body,
        picture,
        content_type,
        result.node_id,
        len(result.detections),
    )


def _checked(body: bytes) -> bytes:
    """`body` if it may go into a text frame as it is. Raises ValueError."""
    if len(body) > MAX_RESULT_BYTES:
        raise ValueError("too large for a result")
    if not body.isascii():
        body.decode()
    return body
