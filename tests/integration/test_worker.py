"""The worker as a process on a real broker: the plain client's contract, and everything bad that it may meet."""

import asyncio
import json
import struct
import subprocess
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broker import Consumer, Delivery, Message, Outcome
from broker.properties import Properties, fields_of, write
from broker.tables import Raw
from cli.rabbitmq import RabbitMQNode
from contract.status import (
    NodeStatus,
    Status,
    WatchAnnouncement,
    encode_status,
    kept_routing_key,
    parse_status,
)
from contract.task import MAX_BODY_BYTES, Task, TaskForm, encode_task
from contract.topology import EphemeralQueue
from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters, results
from tests.helpers.components import require
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.fleet import largest_message
from tests.helpers.images import FACE, astronaut, encoded, iou, jpeg, task
from tests.helpers.odd_messages import FIELD_VALUES, nested
from tests.helpers.processes import Service
from tests.helpers.raw_amqp import RawSender

pytestmark = pytest.mark.integration

REASONS = ("reason", "error", "origin", "node", "time", "attempts")

FRAME = jpeg(astronaut())


@pytest.fixture
def worker(start: StartService, rabbitmq: str) -> Service:
    return start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar").ready()


def body(delivery: Delivery) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(delivery.body)
    return parsed


async def test_a_plain_clients_frame_comes_out_with_its_face(
    worker: Service, rabbitmq: str, tmp_path: Path
) -> None:
    """With Debian's amqp-tools, which is none of ours."""
    publish = require("amqp-publish")
    (tmp_path / "task.json").write_bytes(task(FRAME))
    with (tmp_path / "task.json").open("rb") as text:
        command = [
            publish,
            "--url",
            rabbitmq,
            "--routing-key",
            "frame_queue",
            "--content-type",
            "application/json",
        ]
        done = await asyncio.to_thread(
            subprocess.run, command, stdin=text, capture_output=True, timeout=20, check=False
        )
    assert done.returncode == 0, done.stderr
    got = results()
    async with bus(rabbitmq, got):
        await aeventually("the result", lambda: got.deliveries)
    result = body(got.deliveries[0])
    assert result["node_id"] == "n-1"
    assert result["camera_id"] == "default"
    assert result["status"] == "ok"
    assert 0 < result["timestamp"] - result["original_timestamp"] < 20
    assert max(iou((d["x"], d["y"], d["w"], d["h"]), FACE) for d in result["detections"]) >= 0.5
    assert got.deliveries[0].routing_key == "default"


async def test_both_forms_and_png_are_computed_and_counted(worker: Service, rabbitmq: str) -> None:
    got = results()
    async with bus(rabbitmq, got) as b:
        for number, (image, form) in enumerate(
            [
                (FRAME, TaskForm.BASE64),
                (FRAME, TaskForm.COMPACT),
                (encoded(astronaut(), ".png"), TaskForm.COMPACT),
            ]
        ):
            sent = encode_task(
                Task(image=image, timestamp=time.time(), camera_id="c", frame_id=f"f-{number}"), form
            )
            message = Message("", "frame_queue", sent.body, sent.content_type, sent.headers)
            assert await b.publish(message) is Outcome.CONFIRMED
        await aeventually("three results", lambda: len(got.deliveries) == 3)
    assert {body(d)["frame_id"] for d in got.deliveries} == {"f-0", "f-1", "f-2"}
    assert all(body(d)["detections"] for d in got.deliveries)
    eventually("counted", lambda: worker.metric('cv_frames_processed_total{node_id="n-1"}') == 3)
    worker.counts('cv_processing_seconds_count{node_id="n-1"}', 3)
    worker.counts('cv_frame_age_seconds_count{node_id="n-1"}', 3)
    assert worker.metric('cv_frames_failed_total{node_id="n-1",reason="not_json"}') == 0


def png_bomb() -> bytes:
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + FRAME


def bad_messages() -> dict[str, bytes]:
    """By reason. Made when needed: a task of some seconds ago would expire instead."""
    return {
        "empty": b"",
        "not_json": b"not json at all",
        "invalid_task": b"[1, 2]",
        "not_base64": b'{"frame": "***", "timestamp": 1}',
        "not_an_image": task(b"hello"),
        "too_many_pixels": task(png_bomb()),
        "too_large": b"{" + b" " * MAX_BODY_BYTES,
    }


async def test_bad_messages_are_kept_counted_and_named_and_the_rest_goes_on(
    worker: Service, rabbitmq: str
) -> None:
    got, dead, bad = results(), dead_letters(), bad_messages()
    async with bus(rabbitmq, got, dead) as b:
        for reason, message in bad.items():
            await b.task(message, message_id=reason)
        await b.task(task(FRAME), message_id="good")
        await aeventually("the good one", lambda: got.deliveries)
        await aeventually("the bad ones", lambda: {d.message_id for d in dead.deliveries} == set(bad), 10)
    assert {d.message_id: d.headers["x-framefleet-reason"] for d in dead.deliveries} == {r: r for r in bad}
    for delivery in dead.deliveries:
        assert delivery.body == bad[str(delivery.message_id)]
        assert delivery.headers["x-framefleet-error"]
        assert delivery.headers["x-framefleet-origin"] == "frame_queue"
    counted = 'cv_frames_failed_total{node_id="n-1",reason="%s"}'
    eventually("all counted", lambda: all(worker.metric(counted % reason) == 1 for reason in bad))
    assert len(worker.log.read_text().splitlines()) < 30


async def test_a_time_of_capture_in_32_bits_is_refused_and_not_guessed(
    worker: Service, rabbitmq: str
) -> None:
    """As pamqp writes Python's numbers: its frames would be a minute too old or too new."""
    lost = dead_letters()
    async with bus(rabbitmq, lost) as b:
        headers = {"timestamp": Raw(b"f" + struct.pack(">f", time.time())), "camera_id": "gate"}
        await b.publish(Message("", "frame_queue", FRAME, content_type="image/jpeg", headers=headers))
        await aeventually("the dead letter", lambda: lost.deliveries)
    assert "it came as a 32-bit float, which cannot" in lost.deliveries[0].headers["x-framefleet-error"]


async def test_a_dead_letter_is_as_it_was_sent_byte_for_byte(worker: Service, rabbitmq: str) -> None:
    fields = (
        # RabbitMQ itself writes `L` as `l`, which is the same.
        *((b"%d" % n, Raw(written)) for n, (written, _) in enumerate(FIELD_VALUES) if written[:1] != b"L"),
        (b"deep", nested(b"F", 10_000)),
        (b"\xff", Raw(b"V")),
    )
    sent = Properties(
        content_type=b"\xfc",
        content_encoding="identity",
        fields=(*fields, *fields_of({"CC": ["frame_queue"]})),
        delivery_mode=1,
        priority=7,
        correlation_id=b"\xff" * 255,
        reply_to="ü" * 127,
        expiration="60000",
        message_id=b"\xfc" * 200,
        timestamp=1_795_216_000_123,
        type="frame",
        user_id="framefleet",
        app_id="x" * 255,
    )
    dead = dead_letters()
    async with bus(rabbitmq, dead):
        with RawSender(rabbitmq) as sender:
            assert await asyncio.to_thread(sender.publish, write(sent), b"?")
            assert await asyncio.to_thread(sender.publish, write(Properties()), b"the last")
        await aeventually("both dead letters", lambda: len(dead.deliveries) == 2)
    got = dead.deliveries[0].properties
    ours = {name for name in got.headers if name.startswith("x-framefleet-")}
    assert ours == {f"x-framefleet-{name}" for name in (*REASONS, "expiration")}
    theirs = tuple(field for field in got.fields or () if not field[0].startswith(b"x-framefleet-"))
    assert sorted(theirs) == sorted(fields)  # RabbitMQ 4 sorts them by their names
    gone: dict[str, Any] = {"expiration": None, "user_id": None, "delivery_mode": 2, "fields": got.fields}
    assert got == replace(sent, **gone)
    worker.counts('cv_frames_failed_total{node_id="n-1",reason="not_json"}', 2)


async def test_what_rabbitmq_refuses_to_take_again_costs_one_frame(
    start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    got, dead = results(), dead_letters()
    async with bus(rabbitmq, got, dead) as b:
        assert await b.task(b"?" * 20_000, message_id="large") is Outcome.CONFIRMED
        assert await b.task(task(FRAME, timestamp=time.time() + 20), message_id="good") is Outcome.CONFIRMED
        async with largest_message(shared_rabbitmq, 10_000):
            start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="600")
            await aeventually("the good one", lambda: got.deliveries, 30)
            await aeventually("the other", lambda: dead.deliveries, 30)
    (letter,) = dead.deliveries
    assert (letter.message_id, len(letter.body)) == ("large", 20_000)
    assert letter.headers["x-first-death-reason"] == "rejected"
    assert [body(each)["frame_id"] for each in got.deliveries] == ["good"]


async def test_who_asks_with_reply_to_gets_the_result_too(worker: Service, rabbitmq: str) -> None:
    replies: list[Delivery] = []
    mailbox = Consumer(EphemeralQueue(), replies.append, no_ack=True)
    async with bus(rabbitmq, mailbox) as b:
        await aeventually("a mailbox", lambda: mailbox.queue_name)
        await b.task(task(FRAME, frame_id="f-9"), reply_to=str(mailbox.queue_name), correlation_id="c-9")
        await aeventually("the reply", lambda: replies)
    assert replies[0].correlation_id == "c-9"
    assert body(replies[0])["frame_id"] == "f-9"


async def test_pictures_come_with_their_result_and_only_while_watched(worker: Service, rabbitmq: str) -> None:
    pictures: list[Delivery] = []
    watch = Consumer(EphemeralQueue((("watch", "#"),)), pictures.append, no_ack=True)
    got = results()
    async with bus(rabbitmq, watch, got) as b:
        await aeventually("subscribed", lambda: watch.subscribed)
        await b.task(task(FRAME, camera_id="one", frame_id="unwatched"))
        await aeventually("its result", lambda: len(got.deliveries) == 1)
        await b.publish(
            Message("control", "", encode_status(WatchAnnouncement(gateway_id="g", cameras=["one"])))
        )
        await b.task(task(FRAME, camera_id="two", frame_id="another camera"))
        await b.task(task(FRAME, camera_id="one", frame_id="watched"))
        await aeventually("the picture", lambda: pictures)
        await aeventually("all results", lambda: len(got.deliveries) == 3)
    assert [json.loads(p.headers["result"])["frame_id"] for p in pictures] == ["watched"]
    assert pictures[0].body == FRAME
    assert pictures[0].content_type == "image/jpeg"
    assert pictures[0].routing_key == "one"
    stored = next(body(d) for d in got.deliveries if body(d)["frame_id"] == "watched")
    assert json.loads(pictures[0].headers["result"]) == stored


async def test_a_frame_with_a_face_is_sent_to_the_gateway_that_asks_for_it(
    worker: Service, rabbitmq: str
) -> None:
    pictures: list[Delivery] = []
    key = kept_routing_key("gate.way-1")
    kept = Consumer(EphemeralQueue((("watch", key),)), pictures.append, no_ack=True)
    got = results()
    async with bus(rabbitmq, kept, got) as b:
        await aeventually("subscribed", lambda: kept.subscribed)
        await b.task(task(FRAME, camera_id="one", frame_id="face"))
        for name in ("blank", "newer"):  # of no slow camera
            await b.task(task(jpeg(np.zeros((240, 320, 3), np.uint8)), camera_id="one", frame_id=name))
        await aeventually("their results", lambda: len(got.deliveries) == 3)
        assert [len(body(each)["detections"]) > 0 for each in got.deliveries] == [True, False, False]
        wanted = WatchAnnouncement(gateway_id="gate.way-1", cameras=[], frames=["blank", "face", "face"])
        await b.publish(Message("control", "", encode_status(wanted)))
        await aeventually("the picture", lambda: pictures)
    assert [json.loads(each.headers["result"])["frame_id"] for each in pictures] == ["face"]
    assert pictures[0].body == FRAME


async def test_the_newest_frame_of_a_slow_camera_is_sent_whatever_it_shows(
    worker: Service, rabbitmq: str
) -> None:
    pictures: list[Delivery] = []
    kept = Consumer(EphemeralQueue((("watch", kept_routing_key("g")),)), pictures.append, no_ack=True)
    got = results()
    blank = jpeg(np.zeros((240, 320, 3), np.uint8))
    async with bus(rabbitmq, kept, got) as b:
        await aeventually("subscribed", lambda: kept.subscribed)
        await b.task(task(blank, camera_id="slow", frame_id="blank"))
        await aeventually("its result", lambda: got.deliveries)
        wanted = WatchAnnouncement(gateway_id="g", cameras=["slow"], frames=["blank"])
        for times in (1, 2):  # as long as it is the newest
            await b.publish(Message("control", "", encode_status(wanted)))
            await aeventually("the picture", lambda: len(pictures) >= times)  # noqa: B023
    assert {json.loads(each.headers["result"])["frame_id"] for each in pictures} == {"blank"}
    assert pictures[0].body == blank


async def test_a_stale_frame_is_recorded_as_expired_not_computed(worker: Service, rabbitmq: str) -> None:
    got = results()
    async with bus(rabbitmq, got) as b:
        await b.task(task(FRAME, timestamp=time.time() - 10))
        await aeventually("the expiry", lambda: got.deliveries)
    result = body(got.deliveries[0])
    assert (result["status"], result["hop"], result["reason"]) == ("expired", "worker", "stale")
    eventually("counted", lambda: worker.metric('cv_frames_expired_total{hop="worker",node_id="n-1"}') == 1)


async def test_what_waited_for_a_worker_is_stale_and_a_slow_clock_is_not(
    start: StartService, rabbitmq: str
) -> None:
    """Both frames claim to be minutes old: one was there before the worker, the other found an empty queue."""
    got = results()
    async with bus(rabbitmq, got) as b:
        await b.task(task(FRAME, timestamp=time.time() - 75, camera_id="new"))
        worker = start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar")
        await aeventually("the expiry", lambda: got.deliveries, 20)
        waited = body(got.deliveries[0])
        assert (waited["status"], waited["hop"], waited["reason"]) == ("expired", "worker", "stale")
        assert waited["queue_seconds"] >= 75
        await b.task(task(FRAME, timestamp=time.time() - 300, camera_id="slow"))
        await aeventually("its result", lambda: len(got.deliveries) == 2)
    assert body(got.deliveries[1])["status"] == "ok"
    assert worker.metric('cv_clock_skew_total{node_id="n-1"}') == 1


async def test_it_is_heard_as_soon_as_it_is_ready(start: StartService, rabbitmq: str) -> None:
    """What is said before the connection stands is lost: whoever expects a worker would miss it for two seconds."""
    heard: list[float] = []
    status = Consumer(
        EphemeralQueue((("status", "node.*"),)), lambda _: heard.append(time.monotonic()), no_ack=True
    )
    async with bus(rabbitmq, status):
        starting = start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar")
        await asyncio.to_thread(starting.ready)
        ready = time.monotonic()
        await aeventually("a heartbeat", lambda: heard)
    assert heard[0] - ready < 1.0


async def test_heartbeats_say_which_model_and_the_last_says_stopped(worker: Service, rabbitmq: str) -> None:
    heard: list[Status] = []
    status = Consumer(
        EphemeralQueue((("status", "#"),)), lambda d: heard.append(parse_status(d.body)), no_ack=True
    )
    async with bus(rabbitmq, status):
        await aeventually("a heartbeat", lambda: heard)
        first = heard[0]
        assert isinstance(first, NodeStatus)
        assert (first.node_id, first.state, first.detector, first.lane) == ("n-1", "running", "haar", "live")
        assert await asyncio.to_thread(worker.stop) == 0
        await aeventually(
            "the last one", lambda: isinstance(heard[-1], NodeStatus) and heard[-1].state == "stopped"
        )


async def test_sigterm_under_load_finishes_what_is_held_and_nothing_is_redelivered(
    worker: Service, rabbitmq: str
) -> None:
    got = results()
    async with bus(rabbitmq, got) as b:
        for number in range(60):
            await b.task(task(FRAME, frame_id=f"f-{number}", timestamp=time.time() + 60))
        await aeventually("some results", lambda: len(got.deliveries) >= 5)
        assert await asyncio.to_thread(worker.stop) == 0
        done = {body(d)["frame_id"] for d in got.deliveries}
        left: list[Delivery] = []
        rest = Consumer("frame_queue", left.append)
        async with bus(rabbitmq, rest):
            await aeventually("the rest", lambda: len(left) + len(got.deliveries) >= 60)
    done = {body(d)["frame_id"] for d in got.deliveries}
    assert len(done) == len(got.deliveries)
    assert not any(d.redelivered for d in left)
    assert done.isdisjoint(body(d)["frame_id"] for d in left)
    assert len(done) + len(left) == 60


def test_readiness_names_what_is_missing_and_liveness_does_not_ask_the_broker(start: StartService) -> None:
    worker = start("worker", AMQP_URL="amqp://127.0.0.1:1/", WORKER_DETECTOR="haar")
    eventually("alive", lambda: worker.get("/livez")[0] == 200)
    status, text = worker.get("/readyz")
    assert status == 503
    assert "broker" in text
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WORKER_DETECTR": "haar"}, "did you mean WORKER_DETECTOR?"),
        ({"WORKER_DETECTOR": "resnet"}, "WORKER_DETECTOR"),
        ({"PREFETCH": "0"}, "PREFETCH"),
        ({"AMQP_URL": "http://user:s3cret@host/"}, "amqp://"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_exit_2(
    start: StartService, environment: dict[str, str], said: str
) -> None:
    worker = start("worker", **environment)
    assert worker.process.wait(20) == 2
    assert said in worker.log.read_text()
    assert "s3cret" not in worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()
