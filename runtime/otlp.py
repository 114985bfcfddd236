"""Spans to OpenTelemetry's protocol over HTTP, in a thread of the SDK's. Imported only where tracing is on."""

import logging
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace import SpanProcessor as SdkProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export import SpanExporter as SdkExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from prometheus_client import Counter

from runtime.logs import get_logger
from runtime.spans import FinishedSpan
from runtime.version import VERSION

log = get_logger("tracing")

PATH = "/v1/traces"
GRPC_PORT = 4317
MOST_WAITING = 2_048
"""Spans that wait for the endpoint; what comes on top is dropped and counted."""
BATCH = 512
DELAY_MS = 1_000.0
LONGEST_VALUE = 512
CLOSE_SECONDS = 2.0
"""At the end of the process, for the spans that wait."""
SHOWN = 200

KINDS = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
}


class OtlpExporter:
    """Sends spans to an endpoint, a base URL such as `http://collector:4318` or the whole address.

    `put` and `close` are one thread's. Headers, certificates, time limits and compression of the requests are the
    standard OTEL_EXPORTER_OTLP_… variables, which the SDK reads.
    """

    def __init__(self, endpoint: str, service: str, instance: str, spans: Counter) -> None:
        self._dropped = spans.labels("dropped")
        self._counting = _Counting(address(endpoint), spans)
        self._taken = 0
        self._ids = _GivenIds()
        resource = Resource.create(
            {
                "service.namespace": "framefleet",
                "service.name": service,
                "service.instance.id": instance,
                "service.version": VERSION,
            }
        )
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=self._ids,
            span_limits=SpanLimits(max_attribute_length=LONGEST_VALUE),
        )
        processor: SdkProcessor = BatchSpanProcessor(
            self._counting,
            max_queue_size=MOST_WAITING,
            max_export_batch_size=BATCH,
            schedule_delay_millis=DELAY_MS,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("framefleet", VERSION)

    def put(self, span: FinishedSpan) -> None:
        """Take a span, or drop and count it; returns at once and never raises."""
        if self._taken - self._counting.done >= MOST_WAITING:
            self._dropped.inc()
            return
        try:
            self._make(span)
        except Exception:
            log.exception("a span could not be made", span=span.name)
            self._dropped.inc()
        else:
            self._taken += 1

    def close(self) -> None:
        """Export what waits; an endpoint that does not answer delays nothing by more than CLOSE_SECONDS."""
        ending = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)

    def _make(self, span: FinishedSpan) -> None:
        self._ids.give(int(span.trace_id, 16), int(span.span_id, 16))
        parent = Context()
        if span.parent_id is not None:
            above = SpanContext(
                int(span.trace_id, 16), int(span.parent_id, 16), is_remote=False, trace_flags=TraceFlags(1)
            )
            parent = set_span_in_context(NonRecordingSpan(above), parent)
        made = self._tracer.start_span(
            span.name, parent, KINDS[span.kind], attributes=dict(span.attributes), start_time=span.began
        )
        if span.error:
            made.set_attribute("error.type", span.error)
            made.set_status(Status(StatusCode.ERROR))
        made.end(span.ended)


class _GivenIds(IdGenerator):
    """The ids that the next span is to have: they travelled with the messages before it was made."""

    def __init__(self) -> None:
        self._trace_id = self._span_id = 0

    def give(self, trace_id: int, span_id: int) -> None:
        self._trace_id, self._span_id = trace_id, span_id

    def generate_trace_id(self) -> int:
        return self._trace_id

    def generate_span_id(self) -> int:
        return self._span_id


class _Counting(SdkExporter):
    """The SDK's exporter, with what became of the spans counted, and told when it changes. In the SDK's thread."""

    def __init__(self, url: str, spans: Counter) -> None:
        self._exporter = OTLPSpanExporter(endpoint=url)
        self._exported, self._dropped = spans.labels("exported"), spans.labels("dropped")
        self._words = _LastWords()
        self._failing = False
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self.done = 0
        """How many spans were exported or given up."""
        logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter").addFilter(self._words)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        exported = False
        try:
            exported = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:
            self._words.said = f"{type(error).__name__}: {error}"
        self.done += len(spans)
        (self._exported if exported else self._dropped).inc(len(spans))
        if self._failing and exported:
            log.info("spans are exported again", host=self._host)
        elif not (self._failing or exported):
            hint = (
                f": port {GRPC_PORT} usually speaks gRPC, HTTP is at 4318" if self._port == GRPC_PORT else ""
            )
            log.warning(
                f"spans cannot be exported, and are dropped{hint}",
                host=self._host,
                reason=self._words.said[:SHOWN],
            )
        self._failing = not exported
        return SpanExportResult.SUCCESS if exported else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _LastWords(logging.Filter):
    """Keeps what the SDK says of a failed request, for our own line: it says so of each."""

    said = ""

    def filter(self, record: logging.LogRecord) -> bool:
        self.said = record.getMessage()
        return False


def address(endpoint: str) -> str:
    """Where traces are posted to, of a base URL or a whole one."""
    bare = endpoint.rstrip("/")
    return bare if bare.endswith(PATH) else bare + PATH
