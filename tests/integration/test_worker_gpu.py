"""A worker of the gpu lane that computes several frames at once. Here on the CPU: the way of a frame is the same."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broker import Consumer, Delivery, Outcome
from contract.status import NodeStatus, Status, parse_status
from contract.topology import EphemeralQueue, Lane
from tests.conftest import StartService
from tests.helpers.bus import Bus, bus, dead_letters, results
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.images import encoded, task
from tests.helpers.tiny_yunet import SIDE, write_tiny_yunet

pytestmark = pytest.mark.integration

QUEUE = Lane.GPU.queue
FRAMES = 200
BATCH = 8
SIZES = ((320, 256), (256, 320))  # of the detector's input, so that a square's box is known to the pixel
CELL = 16
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}  # where there is one


@pytest.fixture
def environment(rabbitmq: str, tmp_path: Path) -> dict[str, str]:
    """Of a worker with a tiny YuNet, in the gpu lane."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "models.toml").write_text('[tiny]\nkind = "yunet"\nfile = "tiny.onnx"\ninput = 320\n')
    write_tiny_yunet(models / "tiny.onnx")
    return {
        "AMQP_URL": rabbitmq,
        "NODE_ID": "g-1",
        "WORKER_LANE": "gpu",
        "WORKER_DETECTOR": "tiny",
        "MODEL_DIR": str(models),
        "WORKER_MODEL_CACHE": str(tmp_path / "cache"),
    }


def where(number: int) -> tuple[int, int]:
    """The square of frame `number`: another one for each of 100."""
    return 48 + CELL * (number % 10), 48 + CELL * (number // 10 % 10)


def picture(number: int) -> bytes:
    """One white square, a cell of stride 8, in a frame of one of two sizes."""
    width, height = SIZES[number % 2]
    pixels = np.zeros((height, width, 3), np.uint8)
    x, y = where(number)
    pixels[y : y + 8, x : x + 8] = 255
    return encoded(pixels, ".png")


def sent(number: int) -> bytes:
    """Frame `number` as it is sent: some are bad, each 17th and each 23rd in its own way."""
    if number % 17 == 16:
        return b"not json at all"
    image = b"no image" if number % 23 == 22 else picture(number)
    return task(image, frame_id=f"f-{number}", camera_id=f"c-{number % 3}")


def bad(number: int) -> bool:
    return number % 17 == 16 or number % 23 == 22


async def fill(b: Bus) -> None:
    for number in range(FRAMES):
        assert await b.task(sent(number), QUEUE, message_id=f"f-{number}") is Outcome.CONFIRMED


def check(result: dict[str, Any]) -> None:
    """It is the result of this very frame, not of one that was computed with it."""
    number = int(result["frame_id"].removeprefix("f-"))
    x, y = where(number)
    (found,) = result["detections"]
    assert (found["x"] + found["w"] / 2, found["y"] + found["h"] / 2) == (x + 4, y + 4)
    assert found["w"] == found["h"] == SIDE
    assert (result["width"], result["height"]) == SIZES[number % 2]
    assert result["camera_id"] == f"c-{number % 3}"
    assert result["model"].startswith("tiny@")


def body(delivery: Delivery) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(delivery.body)
    return parsed


async def test_batches_of_what_waits_give_every_frame_its_own_outcome(
    start: StartService, rabbitmq: str, environment: dict[str, str]
) -> None:
    got, dead = results(), dead_letters()
    first = start("worker", **environment, WORKER_DEVICE="cpu")  # declares the lane
    first.ready()
    assert first.stop() == 0
    async with bus(rabbitmq, got, dead) as b:
        await fill(b)
        worker = start("worker", **environment, WORKER_DEVICE="cpu", WORKER_BATCH=str(BATCH)).ready()
        await aeventually("all outcomes", lambda: len(got.deliveries) + len(dead.deliveries) >= FRAMES, 60)
    expected_bad = {f"f-{number}" for number in range(FRAMES) if bad(number)}
    assert Counter(delivery.message_id for delivery in dead.deliveries) == Counter(expected_bad)
    computed = [body(delivery) for delivery in got.deliveries]
    assert Counter(result["frame_id"] for result in computed) == Counter(
        {f"f-{number}" for number in range(FRAMES)} - expected_bad
    )
    for result in computed:
        check(result)
    order = [int(result["frame_id"].removeprefix("f-")) for result in computed]
    assert order == sorted(order)
    node = '{node_id="g-1"}'
    eventually("counted", lambda: worker.metric(f"cv_frames_processed_total{node}") == len(computed))
    assert worker.metric(f"cv_processing_seconds_count{node}") == len(computed)
    assert worker.metric(f"cv_batch_frames_sum{node}") == FRAMES
    assert worker.metric(f"cv_batch_frames_count{node}") <= FRAMES / 2
    assert worker.metric('cv_batch_frames_bucket{le="8.0",node_id="g-1"}') == worker.metric(
        f"cv_batch_frames_count{node}"
    )
    assert worker.metric('cv_device_info{device="cpu",fallback="no",node_id="g-1"}') == 1


async def test_sigterm_under_load_finishes_the_batches_at_hand_and_nothing_is_redelivered(
    start: StartService, rabbitmq: str, environment: dict[str, str]
) -> None:
    got, dead = results(), dead_letters()
    worker = start("worker", **environment, WORKER_DEVICE="cpu", WORKER_BATCH=str(BATCH)).ready()
    async with bus(rabbitmq, got, dead) as b:
        filling = asyncio.create_task(fill(b))
        await aeventually("some results", lambda: len(got.deliveries) >= 20)
        assert await asyncio.to_thread(worker.stop) == 0
        await filling
        left: list[Delivery] = []
        async with bus(rabbitmq, Consumer(QUEUE, left.append)):
            await aeventually(
                "the rest", lambda: len(left) + len(got.deliveries) + len(dead.deliveries) >= FRAMES
            )
    assert left, "it was to be stopped in the middle"
    assert not any(delivery.redelivered for delivery in left)
    numbers = [
        *(body(d)["frame_id"] for d in got.deliveries),
        *(d.message_id for d in (*dead.deliveries, *left)),
    ]
    assert Counter(numbers) == Counter(f"f-{number}" for number in range(FRAMES))


async def test_without_a_gpu_the_lane_is_served_by_the_cpu_and_everybody_is_told(
    start: StartService, rabbitmq: str, environment: dict[str, str]
) -> None:
    heard: list[Status] = []
    status = Consumer(
        EphemeralQueue((("status", "node.#"),)), lambda d: heard.append(parse_status(d.body)), no_ack=True
    )
    got = results()
    worker = start("worker", **environment, **NO_GPU).ready()
    async with bus(rabbitmq, status, got) as b:
        await b.task(task(picture(1), frame_id="f-1", camera_id="c-1", timestamp=time.time() - 100), QUEUE)
        await aeventually("its result", lambda: got.deliveries)
        await aeventually("a heartbeat", lambda: heard)
    check(body(got.deliveries[0]))
    assert isinstance(heard[0], NodeStatus)
    assert str(heard[0].fallback).startswith("no GPU, computing on the CPU: ")
    assert heard[0].prefetch == 1
    assert worker.metric('cv_device_info{device="cpu",fallback="yes",node_id="g-1"}') == 1
    assert "device fallback" in worker.log.read_text()


def test_a_gpu_that_is_insisted_on_and_not_there_is_a_sentence_and_exit_1(
    start: StartService, environment: dict[str, str]
) -> None:
    worker = start("worker", **environment, **NO_GPU, WORKER_DEVICE="cuda")
    assert worker.process.wait(20) == 1
    said = worker.log.read_text()
    assert "WORKER_DEVICE=cuda" in said
    assert "WORKER_DEVICE=auto" in said
    assert "Traceback" not in said
