"""The first span of a frame: its task, published. None of this runs without tracing."""

import time
from dataclasses import dataclass

from broker import Outcome
from producer.frames import Frame
from runtime.tracing import FrameTrace, Tracing, operation


@dataclass(frozen=True, slots=True)
class TaskSpan:
    """A task under way: its frame and trace, and when it was published (`perf_counter` seconds, and Unix time)."""

    frame: Frame
    trace: FrameTrace
    began: float
    published: float

    @property
    def traceparent(self) -> str:
        """What travels with the task, whether the frame is traced or not: workers need not decide again."""
        return self.trace.header


class TaskSpans:
    """Begins frames' traces, and makes the spans once the broker has said what became of the tasks."""

    def __init__(self, tracing: Tracing, producer_id: str) -> None:
        self._tracing = tracing
        self._producer_id = producer_id

    def begin(self, frame: Frame) -> TaskSpan:
        """Begin the trace of a frame whose task is being published."""
        return TaskSpan(frame, self._tracing.begin(), time.perf_counter(), time.time())

    def end(self, span: TaskSpan, outcome: Outcome) -> None:
        """Make the span, if the frame is traced or its task did not reach the queue."""
        frame, trace = span.frame, span.trace
        reached = outcome is Outcome.CONFIRMED
        if not reached:
            self._tracing.failed(trace)
        if not trace.sampled:
            return
        self._tracing.own(
            trace,
            f"publish {frame.lane.queue}",
            "producer",
            span.began,
            time.perf_counter(),
            {
                "messaging.system": "rabbitmq",
                **operation("publish", "send"),
                "messaging.destination.name": frame.lane.queue,
                "messaging.message.id": frame.frame_id,
                "messaging.client.id": self._producer_id,
                "framefleet.camera_id": frame.camera_id,
                "framefleet.age_seconds": round(max(0.0, span.published - frame.timestamp), 6),
            },
            "" if reached else outcome.value,
        )
