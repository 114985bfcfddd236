"""The spans of a frame in a worker, by OpenTelemetry's conventions for messaging; none of this runs without tracing.

process frame_queue             received … acknowledged
├ decode, detect                as measured: in a batch, the frame's share of it
├ publish results:{camera_id}   computed … confirmed; or to the dead letters, or to another attempt
└ ack frame_queue               or reject, where the broker itself dead-letters the frame
"""

from broker import Delivery, Message
from broker.traced import traced
from contract.senders import Sender
from contract.topology import RESULTS_EXCHANGE
from contract.trace_context import TRACEPARENT
from runtime.tracing import FrameTrace, Tracing, operation
from worker.arrival import Completion
from worker.intake import Intake
from worker.processor import Computed, Expired, Failed, Processed, PutBack

RESULTS = f"{RESULTS_EXCHANGE}:{{camera_id}}"

Told = dict[str, str | int | float | bool]


class FrameSpans:
    """Gives each frame its trace, passes it on with what is published, and makes the spans once all is settled."""

    def __init__(self, tracing: Tracing, node_id: str) -> None:
        self._tracing = tracing
        self._node_id = node_id

    def take(self, intake: Intake, delivery: Delivery) -> FrameTrace:
        """Find the frame's trace. A sender may say which trace it is of, not whether that is exported."""
        return self._tracing.follow(delivery.headers.get(TRACEPARENT), trusted=intake.sender is None)

    def carry(self, message: Message, trace: FrameTrace, outcome: Processed | PutBack) -> Message:
        """Return the message with the frame's trace, if it is traced; a frame that is not computed is from now on."""
        if not isinstance(outcome, Computed | PutBack):
            self._tracing.failed(trace)
        return traced(message, trace.onward) if trace.sampled else message

    def settled(self, item: Completion, message: Message | None, confirmed: float, settled: float) -> None:
        """Make the spans of a frame whose `message` was confirmed and whose task was settled at these times
        (`perf_counter`). `message` is None where nothing was published and the task was rejected."""
        arrival, outcome = item.arrival, item.outcome
        trace, sender = arrival.trace, arrival.intake.sender
        if trace is None or not trace.sampled or isinstance(outcome, PutBack):
            return
        frame = self._frame(item)
        task = frame | {"messaging.destination.name": arrival.intake.queue}
        queue = _template(arrival.intake.queue, sender)
        own, step = self._tracing.own, self._tracing.step
        if isinstance(outcome, Computed):
            ended = item.computed
            for stage in ("detect", "decode"):
                began = ended - outcome.stages.get(stage, 0.0)
                if began < ended:
                    step(trace, stage, "internal", began, ended, {"framefleet.model": outcome.result.model})
                ended = began
        if message is not None:
            name, template = _destination(message, sender)
            sent = frame | operation("publish", "send") | {"messaging.destination.name": name}
            if name != template:
                sent["messaging.destination.template"] = template
            onward = trace.onward_id
            step(trace, f"publish {template}", "producer", item.computed, confirmed, sent, span_id=onward)
        how = "reject" if message is None else "ack"
        step(trace, f"{how} {queue}", "client", confirmed, settled, task | operation(how, "settle"))
        whole = task | operation("process", "process") | _came_of(item)
        own(trace, f"process {queue}", "consumer", arrival.at, settled, whole, _error(outcome))

    def _frame(self, item: Completion) -> Told:
        told: Told = {"messaging.system": "rabbitmq", "messaging.client.id": self._node_id}
        frame_id = (
            item.outcome.result.frame_id
            if isinstance(item.outcome, Computed | Expired)
            else item.arrival.frame_id
        )
        if frame_id is not None:
            told["messaging.message.id"] = frame_id
        if item.arrival.camera_id:
            told["framefleet.camera_id"] = item.arrival.camera_id
        return told


def _came_of(item: Completion) -> Told:
    outcome, arrival = item.outcome, item.arrival
    told: Told = {
        "messaging.message.body.size": len(arrival.delivery.body),
        "framefleet.age_seconds": round(arrival.age, 6),
        "framefleet.redelivered": arrival.delivery.redelivered,
    }
    if isinstance(outcome, Failed):
        told["framefleet.error"] = outcome.error
    elif isinstance(outcome, Computed | Expired):
        told["framefleet.status"] = outcome.result.status
        told["framefleet.detections"] = len(outcome.result.detections)
    return told


def _error(outcome: Processed) -> str:
    """The word for why it was not computed; empty if it was."""
    if isinstance(outcome, Failed):
        return outcome.reason.value
    return str(outcome.result.reason) if outcome.result.reason else ""


def _destination(message: Message, sender: Sender | None) -> tuple[str, str]:
    """Where a message went, and the same without what there are many of: names of spans must be few."""
    key = str(message.routing_key)
    name = f"{message.exchange}:{key}" if message.exchange else key
    return name, RESULTS if message.exchange == RESULTS_EXCHANGE else _template(name, sender)


def _template(queue: str, sender: Sender | None) -> str:
    return queue if sender is None else queue.replace(f".from.{sender.name}", ".from.{sender}")
