"""Which frames are traced, what their spans say, and that nothing of it is there while it is switched off."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from broker import Delivery, Message, Outcome
from broker.properties import Properties, fields_of
from broker.traced import traced
from contract.dead_letters import ATTEMPTS
from contract.failures import FailureReason
from contract.senders import Sender
from contract.topology import Lane
from contract.trace_context import TRACEPARENT, TraceContext, parse_traceparent
from producer.frames import Frame, Pixels
from producer.lane.task_spans import TaskSpans
from runtime.settings import read
from runtime.spans import FinishedSpan
from runtime.tracing import FAILURES_PER_SECOND, FLAGGED_PER_SECOND, Tracing
from worker.arrival import Arrival, Completion
from worker.frame_spans import FrameSpans
from worker.intake import Intake
from worker.messages import dead_letter, retry
from worker.processor import Failed
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FLAGGED, UNFLAGGED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


class Bench:
    """A Tracing whose spans, chance and clock are the test's."""

    def __init__(self, sample: float = 0.0) -> None:
        self.spans: list[FinishedSpan] = []
        self.now = 0.0
        self.tracing = Tracing(self, sample, chance=lambda: 0.5, clock=lambda: self.now)

    def put(self, span: FinishedSpan) -> None:
        self.spans.append(span)

    def close(self) -> None:
        """Nothing waits."""


def test_a_header_is_read_as_it_is_written() -> None:
    for flag in (True, False):
        context = TraceContext(TRACE, SPAN, flag)
        assert parse_traceparent(context.header) == context
    assert parse_traceparent(f"{FLAGGED[:-2]}03") == TraceContext(TRACE, SPAN, True), (
        "other flags are the future's"
    )


def test_the_first_hop_decides_and_others_follow() -> None:
    always, never = Bench(1.0).tracing, Bench(0.0).tracing
    assert always.begin().sampled
    assert not never.begin().sampled
    assert always.begin().parent_id is None
    followed = never.follow(FLAGGED)
    assert (followed.trace_id, followed.parent_id, followed.sampled) == (TRACE, SPAN, True)
    assert not always.follow(UNFLAGGED).sampled
    assert always.follow(None).sampled, "a plain client says nothing"


def test_who_sends_does_not_decide_how_much_is_exported() -> None:
    bench = Bench()
    flagged = sum(bench.tracing.follow(FLAGGED).sampled for _ in range(1_000))
    assert flagged == FLAGGED_PER_SECOND
    bench.now += 0.1
    assert sum(bench.tracing.follow(FLAGGED).sampled for _ in range(1_000)) == FLAGGED_PER_SECOND / 10
    assert all(Bench(0.6).tracing.follow(FLAGGED).sampled for _ in range(100)), "beyond, as many as of others"
    # A sender with a name may say which trace it is of, and nothing else.
    assert not bench.tracing.follow(FLAGGED, trusted=False).sampled
    assert Bench(0.6).tracing.follow(UNFLAGGED, trusted=False).sampled


def test_failures_are_traced_whatever_was_chosen_but_not_by_thousands() -> None:
    bench = Bench()
    traces = [bench.tracing.begin() for _ in range(1_000)]
    for trace in traces:
        bench.tracing.failed(trace)
    assert sum(trace.sampled for trace in traces) == FAILURES_PER_SECOND


def delivery(**headers: Any) -> Delivery:
    method = SimpleNamespace(delivery_tag=1, exchange="", redelivered=False, routing_key="frame_queue")
    return Delivery(SimpleNamespace(is_open=True), method, Properties(fields=fields_of(headers)), b"body")


@pytest.mark.parametrize("again", [False, True])
def test_what_fails_carries_its_trace_on_in_the_place_of_what_its_sender_wrote(again: bool) -> None:
    bench = Bench()
    spans = FrameSpans(bench.tracing, "n-1")
    intake = Intake(Lane.LIVE)
    sent = delivery(traceparent=UNFLAGGED, tracestate="a=b", Traceparent="x", other=1)
    arrival = Arrival(intake, sent, at=1.0, trace=spans.take(intake, sent))
    failed = Failed(FailureReason.DETECTOR_ERROR, "boom")
    plain = retry(sent, intake, intake.queue) if again else dead_letter(failed, sent, intake, "n-1")
    assert arrival.trace is not None
    message = spans.carry(plain, arrival.trace, failed)
    spans.settled(Completion(arrival, failed, 2.0), message, 3.0, 4.0)
    headers = message.properties.headers
    names = [name for name, _ in message.properties.fields or ()]
    assert names.count(b"traceparent") == 1
    assert headers[TRACEPARENT] == TraceContext(TRACE, arrival.trace.onward_id, True).header
    assert "tracestate" not in headers
    assert (headers["other"], headers["Traceparent"]) == (1, "x")
    assert headers[ATTEMPTS] == 1
    publish, ack, process = bench.spans
    assert publish.name == ("publish retry:frame_queue" if again else "publish frame_queue.dlq")
    assert publish.span_id == arrival.trace.onward_id
    assert (ack.name, process.name) == ("ack frame_queue", "process frame_queue")
    assert (process.parent_id, process.error) == (SPAN, "detector_error")
    assert {publish.parent_id, ack.parent_id} == {process.span_id}
    assert (process.ended - process.began, publish.ended - publish.began) == (3_000_000_000, 1_000_000_000)


def test_names_of_spans_are_few() -> None:
    """Not one for each sender, camera or frame."""
    bench = Bench(1.0)
    spans, sender = FrameSpans(bench.tracing, "n-1"), Sender(name="acme")
    intake = Intake(Lane.LIVE, sender)
    sent = delivery()
    arrival = Arrival(intake, sent, at=1.0, trace=spans.take(intake, sent))
    failed = Failed(FailureReason.NOT_JSON, "no")
    message = dead_letter(failed, sent, intake, "n-1")
    spans.settled(Completion(arrival, failed, 2.0), message, 3.0, 4.0)
    assert [span.name for span in bench.spans] == [
        "publish frame_queue.dlq.from.{sender}",
        "ack frame_queue.from.{sender}",
        "process frame_queue.from.{sender}",
    ]
    assert bench.spans[2].attributes["messaging.destination.name"] == "frame_queue.from.acme"


def test_a_task_that_does_not_reach_its_queue_is_traced() -> None:
    bench = Bench()
    spans = TaskSpans(bench.tracing, "p-1")
    frame = Frame("gate", "gate:1:1", 0.0, Pixels(None))  # type: ignore[arg-type]
    spans.end(spans.begin(frame), Outcome.CONFIRMED)
    assert bench.spans == []
    span = spans.begin(frame)
    assert parse_traceparent(span.traceparent) == TraceContext(span.trace.trace_id, span.trace.span_id, False)
    spans.end(span, Outcome.REJECTED)
    assert [(s.name, s.error, s.parent_id) for s in bench.spans] == [
        ("publish frame_queue", "queue_full", None)
    ]
    assert bench.spans[0].span_id == span.trace.span_id


def test_a_message_without_headers_gets_one() -> None:
    assert traced(Message("", "q", b""), FLAGGED).headers == {TRACEPARENT: FLAGGED}


# --- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
@pytest.mark.parametrize(
    "wrong", ["collector:4318", "grpc://collector:4317", "http://", "http://a:b c@d", "yes"]
)
def test_a_wrong_endpoint_is_named(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    monkeypatch.setenv(name, wrong)
    built, said = read(WorkerSettings, {name: wrong})
    assert built is None
    assert said[0].startswith(f"{name}: an address such as http://collector:4318 is needed")


@pytest.mark.parametrize("wrong", ["5", "-1", "1%", "nan"])
def test_a_share_is_a_share(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("TRACES_SAMPLE", wrong)
    built, said = read(WorkerSettings, {"TRACES_SAMPLE": wrong})
    assert built is None
    assert said[0].startswith("TRACES_SAMPLE: a number from 0 to 1 is needed")


@pytest.mark.parametrize("name", ["HEADERS", "TIMEOUT", "CERTIFICATE", "COMPRESSION", "CLIENT_KEY"])
def test_opentelemetrys_own_names_are_no_slips_of_ours(name: str) -> None:
    """Compose hands all of .env to the services, which look for misspelt names there."""
    compose = {"FRAMEFLEET_COMPOSE": str(ROOT)}
    assert read(WorkerSettings, {**compose, f"OTEL_EXPORTER_OTLP_{name}": "x"})[1] == []
    slip = read(WorkerSettings, {**compose, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318"})[1]
    assert "did you mean OTEL_EXPORTER_OTLP_ENDPOINT" in slip[0], "which the SDK would read, and we do not"


def test_ours_goes_before_the_standards_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACES_ENDPOINT", "http://ours:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4318")
    built, _ = read(WorkerSettings, {})
    assert built is not None
    assert built.traces_endpoint == "http://ours:4318"
    assert "ours" not in repr(built)  # it may have a password in it


# --- off ----------------------------------------------------------------------------------------------------------

# FastAPI itself needs the API, which does nothing without the SDK.
OFF = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("opentelemetry.sdk", "opentelemetry.exporter", "google"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import worker.__main__, producer.__main__, gateway.__main__
from prometheus_client import CollectorRegistry
from runtime.metrics.service import span_counter
from runtime.tracing import TracingUnavailable, start_tracing
from worker.settings import WorkerSettings
spans = span_counter(CollectorRegistry())
assert start_tracing(WorkerSettings(), "s", "i", spans) is None
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
try:
    start_tracing(WorkerSettings(traces_endpoint="http://127.0.0.1:1"), "s", "i", spans)
except TracingUnavailable as error:
    print(error)
"""


def test_switched_off_nothing_is_imported_and_without_the_packages_all_else_works() -> None:
    done = subprocess.run([sys.executable, "-c", OFF], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported, sentence = done.stdout.splitlines()
    assert imported == "[]"
    assert "TRACES_ENDPOINT is set" in sentence
    assert "opentelemetry" in sentence
