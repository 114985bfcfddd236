"""Frames as people send them who have not read everything: computed, or a dead letter with its remedy."""

import asyncio
import base64
import gzip
import json
import time
from datetime import UTC, datetime
from functools import partial
from textwrap import wrap
from typing import Any

import numpy as np
import pika
import pytest

from broker import Delivery
from contract.task import MAX_BODY_BYTES
from contract.topology import Lane
from tests.conftest import StartService
from tests.helpers.bus import Collector, bus, results
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.images import astronaut, jpeg
from tests.helpers.senders import SCHOOL, announcing
from tests.helpers.tool import framefleet

pytestmark = pytest.mark.integration

FRAME = jpeg(astronaut())
DIRECT = "amq.rabbitmq.reply-to"
BASE64 = base64.b64encode(FRAME).decode()

Sent = tuple[bytes, dict[str, Any]]
"""A body and its properties."""


def task(**changes: Any) -> bytes:
    return json.dumps({"frame": BASE64, "timestamp": time.time(), "camera_id": "c"} | changes).encode()


def understood() -> dict[str, Sent]:
    """By message_id. Made when needed: they are live frames."""
    now = time.time()
    headers = {"camera_id": "c"}
    return {
        "data-uri": (task(frame=f"data:image/jpeg;base64,{BASE64}"), {}),
        "url-safe": (task(frame=base64.urlsafe_b64encode(FRAME).decode().rstrip("=")), {}),
        "gzip": (gzip.compress(task()), {"content_encoding": "gzip", "content_type": "application/json"}),
        "bom": (b"\xef\xbb\xbf" + task(), {"content_type": "text/plain"}),
        "twice": (json.dumps(task().decode()).encode(), {}),
        "no-type": (FRAME, {"headers": headers | {"timestamp": str(now)}}),
        "binary": (FRAME, {"content_type": "application/octet-stream", "headers": {"timestamp": str(now)}}),
        "amqp-time": (
            FRAME,
            {"content_type": "Image/JPEG; q=1", "headers": {"timestamp": datetime.fromtimestamp(now, UTC)}},
        ),
        "mislabelled": (task(), {"content_type": "image/jpeg"}),
    }


def refused() -> dict[str, tuple[Sent, str]]:
    """By message_id, with what `dlq list` says."""
    now = time.time()
    return {
        "milliseconds": ((task(timestamp=int(now * 1000)), {}), "divide by 1000"),
        "iso": (
            (task(timestamp=datetime.now(UTC).isoformat()), {}),
            "a date, and Unix seconds are meant: write",
        ),
        "image": ((json.dumps({"image": BASE64, "timestamp": now}).encode(), {}), "it is called `frame`"),
        "dots": ((task(camera_id="gate.3"), {}), 'for example "gate_3"'),
        "array": ((b"[" + task() + b"]", {}), "each task is a message of its own"),
        "no-time": ((FRAME, {"content_type": "image/jpeg"}), "the header `timestamp` is missing"),
    }


def send(url: str, messages: dict[str, Sent]) -> None:
    """As pika's own tutorial does."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    for name, (content, properties) in messages.items():
        channel.basic_publish("", "frame_queue", content, pika.BasicProperties(message_id=name, **properties))
    connection.close()


async def test_each_is_computed_or_told_its_remedy(start: StartService, rabbitmq: str) -> None:
    start(
        "worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="60"
    ).ready()
    good, bad, got = understood(), refused(), results()
    send(rabbitmq, good | {name: sent for name, (sent, _) in bad.items()})
    async with bus(rabbitmq, got):
        await aeventually("all results", lambda: len(got.deliveries) >= len(good), 40)
    seen = {r["frame_id"]: r for r in (json.loads(d.body) for d in got.deliveries)}
    assert {name: r["status"] for name, r in seen.items()} == dict.fromkeys(good, "ok")
    assert all(result["detections"] for result in seen.values())
    listed = await framefleet(rabbitmq, "dlq", "list")
    for name, (_, remedy) in bad.items():
        assert remedy in listed.out, name
    assert listed.err.strip() == f"{len(bad)} of {len(bad)} dead letters"


LARGE = jpeg(np.zeros((3000, 3000, 3), np.uint8))
TRUSTED = ("", "frame_queue")
NAMED = (SCHOOL.exchange, SCHOOL.queue(Lane.LIVE))


def mistakes() -> dict[str, tuple[Sent, str, str]]:
    """By correlation_id, with the reason and a part of the sentence that its sender is told."""
    told = {name: (sent, "invalid_task", remedy) for name, (sent, remedy) in refused().items()}
    return told | {
        "not JSON": ((b"frame=abc&timestamp=1", {}), "not_json", "a task is a JSON object"),
        "empty": ((b"", {}), "empty", "a task is a JSON object"),
        "empty frame": ((task(frame=""), {}), "empty", "as base64 of a JPEG or PNG"),
        "address": (
            (task(frame="http://10.0.0.7/a.jpg"), {}),
            "not_base64",
            "the picture itself belongs there",
        ),
        "WebP": (
            (task(frame="UklGRiQAAABXRUJQVlA4IBgAAAAwAQ=="), {}),
            "not_an_image",
            "only JPEG and PNG are read",
        ),
        "raw pixels": (
            (task(frame="AAEC" * 500), {}),
            "not_an_image",
            "send the file of a JPEG or PNG as it is",
        ),
        "a model": ((task(model="nosuch"), {}), "unknown_model", "nosuch"),
        "pixels": (
            (task(frame=base64.b64encode(LARGE).decode()), {}),
            "too_many_pixels",
            "send a smaller picture",
        ),
        "content type": (
            (FRAME, {"content_type": "application/json"}),
            "invalid_task",
            "header `timestamp` is missing",
        ),
        "bytes": ((b"\0" * (MAX_BODY_BYTES + 1), {}), "too_large", "send a smaller picture, or a JPEG"),
    }


def holds(kept: list[Delivery], count: int) -> bool:
    return len(kept) == count


Answer = tuple[str, dict[str, Any]]
"""A reply's correlation_id, and the reply."""


def ask(url: str, where: tuple[str, str], sent: dict[str, Sent]) -> list[Answer]:
    """As the example does, all at once: each is answered, once."""
    answers: list[Answer] = []

    def keep(_channel: object, _method: object, properties: pika.BasicProperties, body: bytes) -> None:
        answers.append((str(properties.correlation_id), json.loads(body)))

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_consume(DIRECT, keep, auto_ack=True)
    for name, (body, given) in sent.items():
        properties = pika.BasicProperties(reply_to=DIRECT, correlation_id=name, message_id=name, **given)
        channel.basic_publish(*where, body, properties, mandatory=True)
    eventually("all answers", lambda: connection.process_data_events(0) or len(answers) >= len(sent), 40)
    connection.process_data_events(0.2)  # none comes twice
    connection.close()
    assert sorted(name for name, _ in answers) == sorted(sent)
    return answers


async def test_each_mistake_is_answered_with_what_to_write_and_stays_a_dead_letter(
    start: StartService, rabbitmq: str
) -> None:
    settings = {"WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "60", "WORKER_MAX_PIXELS": "8900000"}
    worker = start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", **settings).ready()
    wrong = mistakes()
    sent = {name: each for name, (each, _, _) in wrong.items()}
    sent["lines"] = (task(frame="\r\n".join(wrap(BASE64, 76))), {})  # is none
    got = results()
    letters = {TRUSTED: Collector("frame_queue.dlq"), NAMED: Collector(SCHOOL.dead_letter_queue)}
    async with bus(rabbitmq, got, letters[TRUSTED]) as b, announcing(b, SCHOOL):
        await aeventually("it is taken", lambda: "tasks are taken" in worker.log.read_text())
        b.connection.add(letters[NAMED])
        for where in (TRUSTED, NAMED):
            told = dict(await asyncio.to_thread(ask, rabbitmq, where, sent))
            assert told.pop("lines")["status"] == "ok"
            dead = letters[where].deliveries
            await aeventually("all dead letters", partial(holds, dead, len(wrong)))
            errors = {each.message_id: each.headers["x-framefleet-error"] for each in dead}
            assert {name: each["error"] for name, each in told.items()} == errors
            for name, (_, reason, remedy) in wrong.items():
                if where is NAMED and name == "a model":
                    reason, remedy = "not_allowed", "leave `model` out, or ask the operator"
                assert (told[name]["status"], told[name]["reason"]) == ("failed", reason), told[name]
                assert remedy in told[name]["error"], told[name]
                assert told[name]["frame_id"] == (name if where is TRUSTED else f"school:{name}")
        # What cannot be delivered changes nothing.
        await b.task(b"?", reply_to="nobody is there", message_id="gone")
        await aeventually("it too", partial(holds, letters[TRUSTED].deliveries, len(wrong) + 1))
        assert (await asyncio.to_thread(ask, rabbitmq, NAMED, {"after": (b"", {})}))[0][0] == "after"
        await aeventually("all results", lambda: len(got.deliveries) == 2)
        assert {json.loads(each.body)["status"] for each in got.deliveries} == {"ok"}


async def test_a_picture_sent_again_and_again_is_no_duplicate(start: StartService, rabbitmq: str) -> None:
    start(
        "worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="60"
    ).ready()
    got, now = results(), time.time()
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq))
    for number in range(3):
        properties = pika.BasicProperties(
            content_type="image/jpeg", headers={"timestamp": str(now + number / 1000)}
        )
        connection.channel().basic_publish("", "frame_queue", FRAME, properties)
    connection.close()
    async with bus(rabbitmq, got):
        await aeventually("three results", lambda: len(got.deliveries) == 3)
    assert len({json.loads(delivery.body)["frame_id"] for delivery in got.deliveries}) == 3
