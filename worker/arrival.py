"""A task in a worker's hands, before it is computed and after."""

import time
from dataclasses import dataclass

from broker import Delivery
from contract.identifiers import CANARY_CAMERA
from contract.jobs import is_job_queue
from contract.task import TaskHead
from runtime.tracing import FrameTrace
from worker.intake import Intake
from worker.processor import Failed, Given, Processed, PutBack


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as it came: `age` in seconds since capture, at `at` (`perf_counter`).

    `head` is the task as its sender wrote it, None for what is none; `camera_id` the name by which everybody knows the
    camera, if any. `spent`: seconds that it has cost already. `refusal`: why it is not to be computed. `trace`: its
    trace, where the worker traces.
    """

    intake: Intake
    delivery: Delivery
    head: TaskHead | None = None
    camera_id: str = ""
    age: float = 0.0
    at: float = 0.0
    spent: float = 0.0
    refusal: Failed | None = None
    trace: FrameTrace | None = None

    def given(self) -> Given:
        """Hand over what computing needs of it, with the frame's age now."""
        delivery = self.delivery
        waited = self.age + time.perf_counter() - self.at
        return Given(
            delivery.body,
            delivery.content_type,
            delivery.headers,
            delivery.message_id,
            waited,
            self.intake.sender,
        )

    @property
    def frame_id(self) -> str | None:
        """The frame's id, as its sender wrote it, or the message's; None where it says neither."""
        return self.delivery.message_id if self.head is None else self.head.frame_id

    @property
    def words(self) -> dict[str, str]:
        """What a log line says of it: which frame, and which trace."""
        told = {"frame_id": self.frame_id, "trace_id": None if self.trace is None else self.trace.trace_id}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def again(self) -> bool:
        """It was delivered or tried before: it may have killed the worker that had it."""
        return self.delivery.redelivered or self.intake.tried(self.delivery) > 0

    @property
    def canary(self) -> bool:
        """It is a gateway's canary (worker.canary). Named senders have none."""
        return self.camera_id == CANARY_CAMERA and self.intake.sender is None

    @property
    def of_job(self) -> bool:
        """It is an item of a job (worker.job_items). Named senders have none."""
        return self.intake.sender is None and is_job_queue(self.delivery.properties.reply_to)

    @property
    def alone(self) -> bool:
        """It is not computed together with others."""
        return self.refusal is not None or self.again


@dataclass(frozen=True, slots=True)
class Completion:
    """An arrival with its outcome, on its way out; `computed` in `perf_counter` seconds."""

    arrival: Arrival
    outcome: Processed | PutBack
    computed: float

    @property
    def delivery(self) -> Delivery:
        """The delivery that is to be settled."""
        return self.arrival.delivery
