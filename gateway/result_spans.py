"""The spans of a traced frame's result in a gateway. None of this runs without tracing.

process results         live: received … given to the hub
└ send                  … written to the viewers who keep up, if there are any
process result_queue    kept: received … acknowledged
└ store                 the transaction of its batch
"""

import time
from collections.abc import Callable
from functools import partial

from broker import Delivery
from contract.result import Result
from contract.topology import RESULT_QUEUE, RESULTS_EXCHANGE
from contract.trace_context import TRACEPARENT, parse_traceparent
from runtime.tracing import FrameTrace, Tracing, operation

Told = dict[str, str | int | float | bool]


class ResultSpans:
    """Finds the traces of results, and makes the spans."""

    def __init__(self, tracing: Tracing, gateway_id: str) -> None:
        self._tracing = tracing
        self._gateway_id = gateway_id

    def trace(self, delivery: Delivery) -> FrameTrace | None:
        """Find the trace of a result; None for one that is not traced: a worker has decided that."""
        given = delivery.headers.get(TRACEPARENT)
        context = parse_traceparent(given)
        if context is None or not context.sampled:
            return None
        trace = self._tracing.follow(given)
        return trace if trace.sampled else None

    def shown(self, trace: FrameTrace, result: Result, began: float) -> None:
        """Make the span of a result that came live at `began` (`perf_counter`) and is with the hub now."""
        told = self._of(result, RESULTS_EXCHANGE) | operation("process", "process")
        self._tracing.own(trace, "process results", "consumer", began, time.perf_counter(), told)

    def sending(self, trace: FrameTrace, began: float) -> Callable[[], None]:
        """Return what makes the span of sending a result, once it is called for the first time."""
        return partial(self._sent, trace, began, [])

    def stored(
        self, trace: FrameTrace, result: Result, times: tuple[float, float, float], batch: int
    ) -> None:
        """Make the spans of a result that is kept: `times` are when it came, and its batch's transaction began and
        ended (`perf_counter`); `batch` is how many results that held."""
        came, began, ended = times
        told = self._of(result, RESULT_QUEUE)
        stored: Told = {"messaging.batch.message_count": batch}
        self._tracing.step(trace, "store", "internal", began, ended, stored)
        whole = told | operation("process", "process")
        self._tracing.own(trace, f"process {RESULT_QUEUE}", "consumer", came, time.perf_counter(), whole)

    def _sent(self, trace: FrameTrace, began: float, done: list[bool]) -> None:
        if not done:  # others may want it too, in another form
            done.append(True)
            self._tracing.step(trace, "send", "internal", began, time.perf_counter(), {})

    def _of(self, result: Result, source: str) -> Told:
        return {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": source,
            "messaging.message.id": result.frame_id,
            "messaging.client.id": self._gateway_id,
            "framefleet.camera_id": result.camera_id,
            "framefleet.node_id": result.node_id,
        }
