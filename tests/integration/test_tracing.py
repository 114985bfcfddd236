"""A frame's trace from the camera to the viewer, by real processes, a real broker and a receiver of spans."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import connect

from broker import Consumer, Delivery, Message, Outcome
from contract.status import WatchAnnouncement, encode_status
from contract.task import Task, TaskForm, encode_task
from contract.topology import CONTROL_EXCHANGE, WATCH_EXCHANGE, EphemeralQueue
from contract.trace_context import parse_traceparent
from runtime.metrics.service import span_counter
from runtime.otlp import MOST_WAITING, OtlpExporter
from runtime.spans import FinishedSpan
from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters, results
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.otlp import OtlpReceiver, ReceivedSpan, otlp_receiver

pytestmark = pytest.mark.integration

FRAME = jpeg(astronaut())
FORM = TaskForm.COMPACT
GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

HOSTILE: list[Any] = [
    "",
    "00",
    GIVEN[:-1],
    f"{GIVEN}0",
    f"{GIVEN}\n",
    f" {GIVEN}",
    f"{GIVEN}-what-the-future-may-bring",
    GIVEN.upper(),
    GIVEN.replace("-", "_"),
    f"01{GIVEN[2:]}",
    f"ff{GIVEN[2:]}",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE[:-1]}g-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-0x",
    f"00-{TRACE}-{PARENT}-0١",  # a digit to Python, none to the standard
    GIVEN.encode() + b"\xff",
    [GIVEN],
    {"traceparent": GIVEN},
    1,
    2**63 - 1,
    True,
    1.5,
    None,
    "0" * 100_000,
]


class Pictures(Consumer):
    """Keeps the pictures of watched cameras."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        queue = EphemeralQueue(bindings=((WATCH_EXCHANGE, "#"),))
        super().__init__(queue, self.deliveries.append, no_ack=True)


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as made:
        yield made


def under(spans: dict[str, ReceivedSpan], name: str) -> str:
    """The name of the span that this one is in."""
    names = {span.span_id: span.name for span in spans.values()}
    return names.get(spans[name].parent_id, spans[name].parent_id)


async def test_one_frame_is_one_trace_from_its_camera_to_its_viewer(
    rabbitmq: str, start: StartService, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    traced = {"AMQP_URL": rabbitmq, "TRACES_SAMPLE": "1"}
    got = results()
    async with running_gateway(tmp_path, amqp_url=rabbitmq, traces_endpoint=receiver.url) as gateway:
        start("worker", **traced, NODE_ID="n-1", WORKER_DETECTOR="haar", TRACES_ENDPOINT=f"{receiver.url}/")
        producer = {"SOURCE": "gate=demo:1", "PRODUCER_FPS": "5", "PRODUCER_ID": "p-1"}
        # By the standard's own name, and with a path that is there already.
        endpoint = f"{receiver.url}/v1/traces"
        start("producer", **traced, **producer, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(url, additional_headers=headers) as viewer:
            seen = [json.loads(await asyncio.wait_for(viewer.recv(), 30)) for _ in range(5)]
            assert "trace" not in json.dumps(seen), "nothing new in the result"
            names = {
                *("publish frame_queue", "process frame_queue", "decode", "detect"),
                *("publish results:{camera_id}", "ack frame_queue"),
                *("process results", "send", "process result_queue", "store"),
            }

            def whole() -> dict[str, ReceivedSpan]:
                ids = {span.trace_id for span in list(receiver.spans)}
                return next((t for each in ids if set(t := receiver.trace(each)) >= names), {})

            spans = await aeventually("a whole trace", whole)
    assert set(spans) == names
    assert set(receiver.paths) == {"/v1/traces"}
    assert {name: under(spans, name) for name in names} == {
        "publish frame_queue": "",
        "process frame_queue": "publish frame_queue",
        "decode": "process frame_queue",
        "detect": "process frame_queue",
        "publish results:{camera_id}": "process frame_queue",
        "ack frame_queue": "process frame_queue",
        "process results": "publish results:{camera_id}",
        "send": "process results",
        "process result_queue": "publish results:{camera_id}",
        "store": "process result_queue",
    }
    assert [spans[n].kind for n in ("publish frame_queue", "process frame_queue", "ack frame_queue")] == [
        *("producer", "consumer", "client")
    ]
    assert {span.service for span in spans.values()} == {"producer", "cv-worker", "gateway"}
    own = spans["process frame_queue"]
    assert re.fullmatch(r"gate:\d+:\d+", frame_id := own.attributes["messaging.message.id"])
    assert own.attributes.items() >= {
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "frame_queue"),
        ("messaging.client.id", "n-1"),
        ("framefleet.camera_id", "gate"),
    }
    onward = spans["publish results:{camera_id}"].attributes
    assert onward["messaging.destination.name"] == "results:gate"
    assert onward["messaging.destination.template"] == "results:{camera_id}"
    assert {spans[n].attributes["messaging.message.id"] for n in names if " " in n} - {frame_id} == set()
    order = ["publish frame_queue", "process frame_queue", "decode", "detect", "publish results:{camera_id}"]
    begins = [spans[name].began for name in order]
    assert begins == sorted(begins)
    assert all(own.began <= spans[n].began <= spans[n].ended <= own.ended for n in order[2:])
    assert not any(span.failed for span in spans.values())
    assert got.deliveries == []


async def test_of_untraced_frames_those_that_fail_are_traced_and_hostile_headers_are_none(
    rabbitmq: str, start: StartService, receiver: OtlpReceiver
) -> None:
    settings = {
        "TRACES_ENDPOINT": receiver.url,
        "TRACES_SAMPLE": "0",
        "WORKER_DETECTOR": "haar",
        "WORKER_STALENESS_SECONDS": "30",
    }
    worker = start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", **settings).ready()
    got, dead, pictures = results(), dead_letters(), Pictures()
    watched = WatchAnnouncement(gateway_id="g", cameras=["c"])
    async with bus(rabbitmq, got, dead, pictures) as b:

        async def send(body: bytes, **headers: Any) -> None:
            message = Message("", "frame_queue", body, headers=headers, message_id="m")
            assert await b.publish(message) is Outcome.CONFIRMED

        for number, value in enumerate(HOSTILE):
            await send(task(FRAME, frame_id=f"h-{number}"), traceparent=value, tracestate="a=b")
        await aeventually("their results", lambda: len(got.deliveries) == len(HOSTILE))
        assert not any("traceparent" in d.headers or "tracestate" in d.headers for d in got.deliveries)

        await b.publish(Message(CONTROL_EXCHANGE, "", encode_status(watched), mandatory=False))
        compact = encode_task(Task(image=FRAME, timestamp=time.time(), camera_id="c", frame_id="f"), FORM)
        headers = {**compact.headers, "traceparent": GIVEN, "tracestate": "a=b"}
        await b.publish(Message("", "frame_queue", compact.body, compact.content_type, headers))
        await aeventually("its result", lambda: len(got.deliveries) == len(HOSTILE) + 1)
        picture = (await aeventually("its picture", lambda: list(pictures.deliveries)))[0]
        assert picture.headers["traceparent"] == got.deliveries[-1].headers["traceparent"]
        onward = parse_traceparent(got.deliveries[-1].headers["traceparent"])
        assert onward is not None
        assert (onward.trace_id, onward.sampled) == (TRACE, True)
        assert onward.span_id != PARENT
        assert "tracestate" not in got.deliveries[-1].headers

        await send(b"no task", traceparent=f"{GIVEN[:-1]}0", tracestate="a=b")
        await send(task(FRAME, frame_id="late", timestamp=time.time() - 45))
        letter = (await aeventually("the dead letter", lambda: list(dead.deliveries)))[0]
        await aeventually("the expiry", lambda: len(got.deliveries) == len(HOSTILE) + 2)
        await aeventually("all spans", lambda: len(receiver.spans) >= 11)
        spans = list(receiver.spans)
    by_error = {s.attributes.get("error.type"): s for s in spans if s.name == "process frame_queue"}
    assert set(by_error) == {None, "not_json", "stale"}
    assert by_error[None].parent_id == PARENT
    failed = by_error["not_json"]
    assert failed.failed
    assert (failed.trace_id, failed.parent_id) == (TRACE, PARENT), "in the trace that its sender named"
    assert "JSON" in failed.attributes["framefleet.error"]
    onward = parse_traceparent(letter.headers["traceparent"])
    publish = next(s for s in spans if s.name == "publish frame_queue.dlq")
    assert onward is not None
    assert (onward.span_id, onward.trace_id) == (publish.span_id, TRACE)
    assert "tracestate" not in letter.headers
    line = next(json.loads(x) for x in worker.log.read_text().splitlines() if "frame dead-lettered" in x)
    assert (line["trace_id"], line["frame_id"]) == (TRACE, "m")
    # An exemplar leads from the histogram to the one that was traced; the ordinary format has none.
    assert "# {" not in worker.get("/metrics")[1]
    eventually("counted", lambda: worker.metric('framefleet_spans_total{outcome="exported"}') == len(spans))
    assert f'# {{trace_id="{TRACE}"}}' in worker.get("/metrics", accept="application/openmetrics-text")[1]
    assert worker.stop() == 0


def span(number: int) -> FinishedSpan:
    return FinishedSpan(
        "x", "internal", f"{number + 1:032x}", f"{number + 1:016x}", None, 1, 2, {"a": "b" * 9_999}
    )


def counted(registry: CollectorRegistry, outcome: str) -> float:
    return registry.get_sample_value("framefleet_spans_total", {"outcome": outcome}) or 0.0


def test_an_endpoint_that_answers_nothing_costs_spans_and_no_time(receiver: OtlpReceiver) -> None:
    registry = CollectorRegistry()
    exporter = OtlpExporter(receiver.url, "test", "t-1", span_counter(registry))
    receiver.answering.clear()
    begun = time.perf_counter()
    for number in range(MOST_WAITING + 500):
        exporter.put(span(number))
    assert time.perf_counter() - begun < 2.0
    assert counted(registry, "dropped") == 500
    begun = time.perf_counter()
    exporter.close()
    assert time.perf_counter() - begun < 4.0


def test_what_an_endpoint_refuses_is_dropped_and_told_once(
    receiver: OtlpReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = CollectorRegistry()
    exporter = OtlpExporter(receiver.url, "test", "t-1", span_counter(registry))
    receiver.status = 500
    for number in range(2):
        exporter.put(span(number))
        eventually("dropped", partial(lambda wanted: counted(registry, "dropped") == wanted, number + 1))
    receiver.status = 200
    exporter.put(span(3))
    eventually("exported", lambda: counted(registry, "exported") == 1)
    assert len(receiver.spans[0].attributes["a"]) == 512
    exporter.close()
    said = capsys.readouterr()
    assert (said.out + said.err).count("spans cannot be exported") == 1
    assert (said.out + said.err).count("spans are exported again") == 1


def test_the_port_of_the_other_protocol_is_told_from_a_dead_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")  # seconds, for the SDK
    registry = CollectorRegistry()
    exporter = OtlpExporter("http://127.0.0.1:4317", "test", "t-1", span_counter(registry))
    exporter.put(span(1))
    eventually("given up", lambda: counted(registry, "dropped") == 1)
    exporter.close()
    said = capsys.readouterr()
    assert "port 4317 usually speaks gRPC, HTTP is at 4318" in said.out + said.err
