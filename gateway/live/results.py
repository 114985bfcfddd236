"""Results as workers send them: counted, and given to the hub, the cameras and the figures."""

import time
from collections.abc import Callable
from typing import NamedTuple

from broker import Delivery
from contract.description import is_described
from contract.failures import STALENESS_SECONDS
from contract.identifiers import CANARY_CAMERA
from contract.result import Result, parse_result
from gateway.cameras.admission import Admission, sender_of
from gateway.cameras.camera import age_of
from gateway.cameras.cameras import Cameras
from gateway.live.hub import Hub
from gateway.live.update import Update
from gateway.metrics import GatewayMetrics
from gateway.result_spans import ResultSpans
from gateway.senders.counts import SenderCounts
from gateway.statistics import Statistics
from runtime.tracing import FrameTrace

MAX_RESULT_BYTES = 1024 * 1024


class ReceivedResult(NamedTuple):
    """A worker's word on a frame, and the JSON that it came as; its trace, where it is traced."""

    result: Result
    body: bytes
    trace: FrameTrace | None = None

    def update(self, now: float, wall: float, picture: bytes = b"", content_type: str = "") -> Update:
        """What viewers are shown, of a result that came at `now` (monotonic seconds), `wall` (Unix time)."""
        result = self.result
        return Update(
            result.camera_id,
            result.frame_id,
            result.original_timestamp,
            now,
            self.body,
            picture,
            content_type,
            result.node_id,
            len(result.detections),
            max(0.0, result.original_timestamp - wall),
        )


def parse_received(body: bytes) -> ReceivedResult:
    """Read a result. Raises ValueError for what is none."""
    check_size_and_text(body)
    return ReceivedResult(parse_result(body), body)


def parse_traced(delivery: Delivery, spans: ResultSpans) -> ReceivedResult:
    """Read a result and its trace. Raises ValueError for what is none."""
    return parse_received(delivery.body)._replace(trace=spans.trace(delivery))


def check_size_and_text(body: bytes) -> None:
    """Raise ValueError for JSON that may not go into a text frame as it is."""
    if len(body) > MAX_RESULT_BYTES:
        raise ValueError("too large for a result")
    if not body.isascii():
        body.decode()


class LiveResults:
    """Takes what comes live, and what was missed live and comes by `result_queue`.

    `waits` tells whether a node's frames may be any age: the objective is not about these.
    """

    def __init__(
        self,
        hub: Hub,
        cameras: Cameras,
        admission: Admission,
        counts: SenderCounts,
        statistics: Statistics,
        metrics: GatewayMetrics,
        waits: Callable[[str], bool],
        spans: ResultSpans | None = None,
    ) -> None:
        self._hub = hub
        self._cameras = cameras
        self._admission = admission
        self._counts = counts
        self._statistics = statistics
        self._metrics = metrics
        self._waits = waits
        self._spans = spans
        self._started = time.monotonic()

    def take(self, received: ReceivedResult) -> None:
        """Take a result that came live."""
        if received.result.camera_id == CANARY_CAMERA:
            return  # of a worker that knows no canary yet
        if is_described(received.result.frame_id):  # the history's: it was shown when it was computed first
            if received.result.cost:
                self._cameras.paid(received.result.camera_id, received.result.cost)
            return
        if self._spans is None or received.trace is None:
            self._take(received)
            return
        began = time.perf_counter()
        self._take(received, self._spans.sending(received.trace, began))
        self._spans.shown(received.trace, received.result, began)

    def _take(self, received: ReceivedResult, sent: Callable[[], None] | None = None) -> None:
        result, trace = received.result, received.trace
        now, wall = time.monotonic(), time.time()
        self._metrics.results.inc()
        age = age_of(result, wall)
        waited = self._waits(result.node_id)
        sender = sender_of(result)
        # A sender with a name waits as long as it sends more than its share: that is no promise of ours.
        if not waited and not sender:
            self._metrics.result_age.observe(age, None if trace is None else trace.exemplar)
        self._statistics.result(result, wall, age, of_sender=bool(sender))
        if sender:
            self._counts.add(sender, wall)
        if result.status == "expired":
            self._cameras.expired(result)
            return  # nothing was computed: no live view moves
        if age > STALENESS_SECONDS and not waited:
            self._metrics.stale.inc()
        update = received.update(now, wall)
        update.sent = sent
        if not self._admission.shows(result.camera_id, sender, now):
            self._hub.publish_unshown(update)
        elif self._hub.publish(update):
            self._cameras.result(result, now, wall)
        else:
            self._metrics.superseded.inc()
        if result.cost:
            self._cameras.paid(result.camera_id, result.cost)

    def recorded(self, result: Result, body: bytes) -> None:
        """Take a result that the history has stored. It came by `result_queue`, where nothing is lost while we are
        away from the broker: those who get every result get it now, if it did not come live."""
        now, wall = time.monotonic(), time.time()
        computed = now - max(0.0, wall - result.timestamp)
        if result.status == "expired" or computed < self._started or is_described(result.frame_id):
            return
        try:
            check_size_and_text(body)
        except ValueError:
            return  # counted when it came live
        if self._hub.publish_late(ReceivedResult(result, body).update(now, wall), computed):
            self._metrics.late.inc()
