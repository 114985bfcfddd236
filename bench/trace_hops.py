"""What a frame's trace costs a worker by itself, in CPU microseconds: nothing around it is measured."""

import time
from types import SimpleNamespace

from prometheus_client import CollectorRegistry

from broker import Delivery, Message
from broker.properties import Properties, fields_of
from contract.result import Result
from contract.topology import RESULTS_EXCHANGE, Lane
from contract.trace_context import TRACEPARENT, TraceContext, new_span_id, new_trace_id
from runtime.metrics.service import span_counter
from runtime.otlp import OtlpExporter
from runtime.tracing import Tracing
from worker.arrival import Arrival, Completion
from worker.frame_spans import FrameSpans
from worker.intake import Intake
from worker.processor import Computed

UNTRACED, TRACED = 20_000, 2_000
AT_ONCE = 200
"""Traced frames whose spans wait together: far fewer than may."""

RESULT = Result(
    timestamp=1.0,
    original_timestamp=1.0,
    node_id="n",
    detections=[],
    camera_id="c",
    frame_id="f",
    width=1,
    height=1,
    model="m",
    status="ok",
    processing_seconds=0.0,
    queue_seconds=0.0,
)
COMPUTED = Computed(RESULT, b"", {"queue": 0.001, "decode": 0.001, "detect": 0.001})


def hop_costs(endpoint: str) -> tuple[float, float]:
    """CPU µs of a frame that is not traced, and of one that is: its spans made, encoded and sent, the receiver's
    part in this process included."""
    registry = CollectorRegistry()
    exporter = OtlpExporter(endpoint, "bench", "b-1", span_counter(registry))
    # No frame too many is believed: the clock stands at a rate that is far above.
    ticks = iter(range(10**9))
    spans = FrameSpans(Tracing(exporter, 0.0, clock=lambda: float(next(ticks))), "n-1")
    intake = Intake(Lane.LIVE)
    untraced = _microseconds(spans, intake, UNTRACED, sampled=False)
    begun = time.process_time()
    for sent in range(AT_ONCE, TRACED + 1, AT_ONCE):
        _microseconds(spans, intake, AT_ONCE, sampled=True)
        while _exported(registry) < 5 * sent:
            time.sleep(0.01)
    traced = 1e6 * (time.process_time() - begun) / TRACED
    exporter.close()
    return untraced, traced


def _microseconds(spans: FrameSpans, intake: Intake, frames: int, *, sampled: bool) -> float:
    """CPU µs per frame on this thread."""
    deliveries = [_delivery(sampled) for _ in range(frames)]
    message = Message(RESULTS_EXCHANGE, "c", b"." * 420)
    begun = time.thread_time()
    for delivery in deliveries:
        arrival = Arrival(intake, delivery, camera_id="c", at=1.0, trace=spans.take(intake, delivery))
        item = Completion(arrival, COMPUTED, 2.0)
        assert arrival.trace is not None
        spans.settled(item, spans.carry(message, arrival.trace, COMPUTED), 3.0, 4.0)
    return 1e6 * (time.thread_time() - begun) / frames


def _delivery(sampled: bool) -> Delivery:
    method = SimpleNamespace(delivery_tag=1, exchange="", redelivered=False, routing_key="frame_queue")
    header = TraceContext(new_trace_id(), new_span_id(), sampled).header
    return Delivery(None, method, Properties(fields=fields_of({TRACEPARENT: header})), b"")


def _exported(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("framefleet_spans_total", {"outcome": "exported"}) or 0.0
