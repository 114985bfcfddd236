"""What is known of a task before it is computed: how old it is, whose, and whether its sender may have it computed."""

import time

from broker import Delivery
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import CANARY_CAMERA
from contract.senders import Sender
from contract.task import TaskHead, parse_head
from contract.topology import Lane
from worker.arrival import Arrival
from worker.camera_quota import CameraQuota
from worker.frame_spans import FrameSpans
from worker.freshness import Freshness
from worker.intake import Intake
from worker.metrics import WorkerMetrics
from worker.processor import Failed
from worker.sender_rules import renamed, too_many_cameras


class Reception:
    """Makes arrivals of deliveries. Lives on the connection's thread."""

    def __init__(
        self, freshness: Freshness, cameras: CameraQuota, metrics: WorkerMetrics, spans: FrameSpans | None
    ) -> None:
        self._freshness = freshness
        self._cameras = cameras
        self._metrics = metrics
        self._spans = spans

    def arrival(self, intake: Intake, delivery: Delivery) -> Arrival:
        """Make an arrival; what is no task becomes one too, and the inference thread says in detail why it is none."""
        began = time.perf_counter()
        trace = None if self._spans is None else self._spans.take(intake, delivery)
        head = _head(delivery)
        if head is None:
            return Arrival(intake, delivery, at=began, trace=trace)
        camera_id, age, refusal = head.camera_id, 0.0, None
        sender = intake.sender
        if camera_id == CANARY_CAMERA and sender is None:
            # Its gateway measures how long it takes, by one clock: no age by ours may expire it, or count as skew.
            return Arrival(intake, delivery, head, camera_id, at=time.perf_counter())
        # A sender's frames are of one clock: names that it makes up must not push out what is known of others'.
        clock = delivery.app_id if sender is None else intake.queue
        # Of others the age tells nothing: the batch lane is meant to be long, and senders fill queues of their own.
        live = intake.lane is Lane.LIVE and sender is None
        aged = self._freshness.age(head, clock, backlog=live and delivery.backlog)
        age = aged.seconds
        if live:
            self._metrics.dequeued(age)
        if aged.skewed and not delivery.backlog:  # what waited there may have a clock that is right
            self._metrics.skewed()
        if sender is not None:
            camera_id, refusal = self._admitted(head, sender)
        now = time.perf_counter()
        return Arrival(intake, delivery, head, camera_id, age, now, now - began, refusal, trace)

    def _admitted(self, head: TaskHead, sender: Sender) -> tuple[str, Failed | None]:
        """Return the name by which everybody knows the camera, and why its frame is not to be computed, if so."""
        try:
            camera_id = renamed(head, sender).camera_id
        except InvalidTask as error:
            return "", Failed(error.reason, str(error))
        if not self._cameras.admit(sender, camera_id):
            return camera_id, Failed(FailureReason.NOT_ALLOWED, too_many_cameras(sender))
        return camera_id, None


def _head(delivery: Delivery) -> TaskHead | None:
    """The task without its image; None for what is none."""
    try:
        return parse_head(
            delivery.body,
            content_type=delivery.content_type,
            headers=delivery.headers,
            message_id=delivery.message_id,
        )
    except InvalidTask:
        return None
