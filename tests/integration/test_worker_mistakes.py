"""Frames as people send them who have not read everything: computed, or a dead letter with its remedy."""

import base64
import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import pika
import pytest

from tests.conftest import StartService
from tests.helpers.bus import bus, results
from tests.helpers.eventually import aeventually
from tests.helpers.images import astronaut, jpeg
from tests.helpers.tool import framefleet

pytestmark = pytest.mark.integration

FRAME = jpeg(astronaut())
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
