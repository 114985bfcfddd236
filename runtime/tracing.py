"""Traces of single frames: which are traced, and what each step of theirs took.

A step's times are known when it is over, so its span is made then, and only where somebody will see it: an untraced
frame costs the reading of a header. OpenTelemetry's packages are imported where an endpoint is set (`start_tracing`),
and nowhere else.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import Counter

from contract.trace_context import TraceContext, new_span_id, new_trace_id, parse_traceparent
from runtime.settings import ServiceSettings
from runtime.spans import Attributes, FinishedSpan, SpanExporter, SpanKind

FLAGGED_PER_SECOND = 50.0
"""So many frames of which their sender says that they are traced are believed in each process. Of what is beyond, as
many are traced as of frames without a word: whoever sends must not decide how much we export."""
FAILURES_PER_SECOND = 20.0
"""So many frames that fail are traced in each process although they were not chosen; poison may come by thousands."""


@dataclass(slots=True)
class FrameTrace:
    """A frame's trace as one process sees it: `span_id` is of this process's own part, under `parent_id`.

    `onward_id` is the span that publishes, which the next process continues. Ids are hexadecimal digits.
    """

    trace_id: str
    parent_id: str | None
    sampled: bool
    span_id: str = field(default_factory=new_span_id)
    onward_id: str = field(default_factory=new_span_id)

    @property
    def header(self) -> str:
        """The `traceparent` that continues this process's own part."""
        return TraceContext(self.trace_id, self.span_id, self.sampled).header

    @property
    def onward(self) -> str:
        """The `traceparent` of what this process publishes."""
        return TraceContext(self.trace_id, self.onward_id, self.sampled).header

    @property
    def exemplar(self) -> dict[str, str] | None:
        """What a histogram remembers beside a value of this frame; None where no span is exported."""
        return {"trace_id": self.trace_id} if self.sampled else None


class Tracing:
    """Decides which frames are traced, and hands their spans on. Used by one thread.

    `sample` is the share of frames that are chosen at their first hop, 0 to 1.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        sample: float,
        *,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exporter = exporter
        self._sample = sample
        self._chance = chance
        self._flagged = _Budget(FLAGGED_PER_SECOND, clock)
        self._failures = _Budget(FAILURES_PER_SECOND, clock)

    def begin(self) -> FrameTrace:
        """Begin a frame's trace."""
        return FrameTrace(new_trace_id(), None, self._chosen())

    def follow(self, header: object, *, trusted: bool = True) -> FrameTrace:
        """Continue the trace that a message names in its header, whatever that is; begin one if it names none.

        Whether a frame is traced is for its first hop to say, unless that is not `trusted` or says it too often.
        """
        given = parse_traceparent(header)
        if given is None:
            return self.begin()
        said = given.sampled if trusted else None
        sampled = said is not False and ((said is True and self._flagged.take()) or self._chosen())
        return FrameTrace(given.trace_id, given.span_id, sampled)

    def failed(self, trace: FrameTrace) -> None:
        """Trace the frame from here on even if it was not chosen, for it fails."""
        trace.sampled = trace.sampled or self._failures.take()

    def own(
        self,
        trace: FrameTrace,
        name: str,
        kind: SpanKind,
        began: float,
        ended: float,
        attributes: Attributes,
        error: str = "",
    ) -> None:
        """Export this process's own part of a trace. Times are `perf_counter` seconds."""
        self._end(trace, trace.span_id, trace.parent_id, name, kind, began, ended, attributes, error)

    def step(
        self,
        trace: FrameTrace,
        name: str,
        kind: SpanKind,
        began: float,
        ended: float,
        attributes: Attributes,
        error: str = "",
        *,
        span_id: str | None = None,
    ) -> None:
        """Export a step within this process's own part. Times are `perf_counter` seconds."""
        self._end(trace, span_id or new_span_id(), trace.span_id, name, kind, began, ended, attributes, error)

    def close(self) -> None:
        """Export what waits, within moments."""
        self._exporter.close()

    def _chosen(self) -> bool:
        return self._chance() < self._sample

    def _end(
        self,
        trace: FrameTrace,
        span_id: str,
        parent_id: str | None,
        name: str,
        kind: SpanKind,
        began: float,
        ended: float,
        attributes: Attributes,
        error: str,
    ) -> None:
        if not trace.sampled:
            return
        epoch = time.time_ns() - time.perf_counter_ns()
        self._exporter.put(
            FinishedSpan(
                name,
                kind,
                trace.trace_id,
                span_id,
                parent_id,
                epoch + int(began * 1e9),
                epoch + int(max(began, ended) * 1e9),
                attributes,
                error,
            )
        )


class _Budget:
    """So many a second, and as many at once."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = per_second
        self._at = clock()

    def take(self) -> bool:
        """Use one, if there is one left."""
        now = self._clock()
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def operation(name: str, kind: str) -> dict[str, str | int | float | bool]:
    """What is done with a message, as OpenTelemetry's conventions for messaging call it."""
    return {"messaging.operation.name": name, "messaging.operation.type": kind}


class TracingUnavailable(Exception):
    """TRACES_ENDPOINT is set, and the packages that tracing needs are not installed."""


def start_tracing(settings: ServiceSettings, service: str, instance: str, spans: Counter) -> Tracing | None:
    """Begin to trace for a service, whose process is called `instance`; None where no endpoint is set.

    `spans` counts by outcome, exported and dropped.

    Raises TracingUnavailable.
    """
    if not settings.traces_endpoint:
        return None
    try:
        from runtime.otlp import OtlpExporter
    except ImportError as error:
        raise TracingUnavailable(
            f"TRACES_ENDPOINT is set, and the Python package of `{error.name}` is not installed: install the "
            "requirements again (docs/tracing.md), or leave TRACES_ENDPOINT out"
        ) from None
    exporter = OtlpExporter(settings.traces_endpoint, service, instance, spans)
    return Tracing(exporter, settings.traces_sample)
