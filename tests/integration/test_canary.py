"""The canary on a real broker: a detector that finds nothing is told, and nobody else ever sees the canary."""

import json
import math
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import Consumer, Delivery, Message, Outcome
from contract.identifiers import CANARY_CAMERA
from contract.result import Result, encode_result, parse_result
from contract.status import WatchAnnouncement, encode_status
from contract.topology import DEAD_LETTER_QUEUE, RESULTS_EXCHANGE, TASK_QUEUE, WATCH_EXCHANGE, EphemeralQueue
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters, results
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.tiny_yunet import write_tiny_yunet

pytestmark = pytest.mark.integration

FRAMES = "framefleet_canary_frames_total"


def value(gateway: Gateway, name: str, **labels: str) -> float:
    found = gateway.metrics.registry.get_sample_value(name, labels)
    assert found is not None
    return found


async def test_all_green_and_a_detector_that_finds_nothing(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """Ready, no failure, no dead letter, no alarm of any other kind: the canary alone tells."""
    write_tiny_yunet(tmp_path / "blind.onnx", over=2)
    (tmp_path / "models.toml").write_text('[blind]\nkind = "yunet"\nfile = "blind.onnx"\n')
    heard: list[Delivery] = []
    seen = [
        Consumer(EphemeralQueue(((name, "#"),)), heard.append, no_ack=True) for name in ("results", "watch")
    ]
    async with (
        bus(rabbitmq, *seen) as b,
        running_gateway(tmp_path, amqp_url=rabbitmq, canary_seconds=1) as gateway,
    ):
        await aeventually("subscribed", lambda: all(each.subscribed for each in seen))
        await b.publish(
            Message("control", "", encode_status(WatchAnnouncement(gateway_id="g", cameras=[CANARY_CAMERA])))
        )
        good = start("worker", AMQP_URL=rabbitmq, NODE_ID="good", WORKER_DETECTOR="haar").ready()
        await aeventually("faces are found", lambda: value(gateway, FRAMES, outcome="found") >= 2)
        assert value(gateway, "framefleet_canary_recall") == 1
        assert value(gateway, "framefleet_canary_box_error") < 0.7
        assert 0 < value(gateway, "framefleet_canary_latency_seconds_sum") < 20
        assert good.stop() == 0
        blind = start(
            "worker", AMQP_URL=rabbitmq, NODE_ID="blind", WORKER_DETECTOR="blind", MODEL_DIR=str(tmp_path)
        ).ready()
        before = time.monotonic()
        await aeventually("nothing is found", lambda: value(gateway, FRAMES, outcome="missed") >= 3)
        assert time.monotonic() - before < 20
        assert value(gateway, "framefleet_canary_recall") == 0
        assert math.isnan(value(gateway, "framefleet_canary_box_error"))
        said = (await ask(gateway, "/api/metrics"))["canary"]
        assert "find no face" in said
        assert "blind with blind@" in said
        # All green:
        assert blind.get("/readyz")[0] == 200
        assert gateway.missing() == []
        assert blind.metric("cv_frames_failed_total") == 0
        assert gateway.queues.depth.messages[DEAD_LETTER_QUEUE] == 0
        # And nobody else saw it:
        assert blind.metric("cv_frames_processed_total") == 0
        assert blind.metric("cv_processing_seconds_count") == 0
        assert [node.processed for node in gateway.nodes.statuses(time.monotonic())] == [0]
        assert value(gateway, "gateway_results_total") == 0
        assert value(gateway, "gateway_recorded_results_total") == 0
        assert heard == []


async def ask(gateway: Gateway, path: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{gateway.address}{path}") as answer:
        assert answer.status == 200
        return await answer.json()


class OldWorker(Consumer):
    """Takes frames and keeps them for the test, which says what a worker of an older version says."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        super().__init__(TASK_QUEUE, self.taken.append)

    async def frame(self) -> Delivery:
        await aeventually("a canary", lambda: self.taken)
        return self.taken.pop()


def answer_to(delivery: Delivery) -> Result:
    return Result(
        timestamp=time.time(),
        original_timestamp=time.time(),
        node_id="old",
        detections=[],
        camera_id=CANARY_CAMERA,
        frame_id=str(delivery.message_id),
        width=640,
        height=360,
        model="old@1",
        status="ok",
        processing_seconds=0.0,
        queue_seconds=0.0,
    )


async def judged(gateway: Gateway, count: int) -> None:
    await aeventually("it is judged", lambda: value(gateway, FRAMES, outcome="missed") == count)


async def test_an_older_worker_s_canaries_go_nowhere_and_nobody_else_answers_for_a_worker(
    rabbitmq: str, tmp_path: Path
) -> None:
    """It sends their results to everybody, and pictures to who watches; the gateway shows and keeps none of them."""
    worker = OldWorker()
    async with (
        bus(rabbitmq, worker) as b,
        running_gateway(tmp_path, amqp_url=rabbitmq, canary_seconds=1) as gateway,
    ):
        for number in range(3):
            delivery = await worker.frame()
            answer = answer_to(delivery)
            body = encode_result(answer)
            others = Result(**{**as_fields(answer), "camera_id": "gate", "frame_id": f"gate:{number}"})
            await b.publish(Message(RESULTS_EXCHANGE, CANARY_CAMERA, body))
            await b.publish(Message(RESULTS_EXCHANGE, "gate", encode_result(others)))
            headers = {"result": body.decode()}
            picture = Message(
                WATCH_EXCHANGE, CANARY_CAMERA, jpeg(astronaut()), "image/jpeg", headers, mandatory=False
            )
            await b.publish(picture)
            # Whoever knows the queue's name and not this frame's secret:
            forged = Message("", str(delivery.reply_to), body, correlation_id="canary", mandatory=False)
            await b.publish(forged)
            assert value(gateway, FRAMES, outcome="missed") == number
            true = Message(
                "", str(delivery.reply_to), body, correlation_id=delivery.correlation_id, mandatory=False
            )
            await b.publish(true)
            delivery.ack()
            await judged(gateway, number + 1)
        await aeventually("others are stored", lambda: value(gateway, "gateway_recorded_results_total") == 3)
        await aeventually("others are seen", lambda: value(gateway, "gateway_results_total") == 3)
        assert value(gateway, FRAMES, outcome="lost") == 0


def as_fields(result: Result) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.__struct_fields__}


async def test_what_a_worker_makes_of_a_canary(rabbitmq: str, start: StartService) -> None:
    """Hours old, no picture at all, to a gateway that is gone: each is answered or not, and settled at once."""
    worker = start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar").ready()
    replies: list[Delivery] = []
    mailbox, got, dead = Consumer(EphemeralQueue(), replies.append, no_ack=True), results(), dead_letters()
    async with bus(rabbitmq, mailbox, got, dead) as b:
        await aeventually("a mailbox", lambda: mailbox.queue_name)
        here, face = str(mailbox.queue_name), jpeg(astronaut())

        async def send(image: bytes, name: str, **fields: str) -> None:
            body = json.loads(task(image, camera_id=CANARY_CAMERA, frame_id=name))
            body["timestamp"] -= 7_200  # of a gateway whose clock is wrong
            assert await b.task(json.dumps(body).encode(), **fields) is Outcome.CONFIRMED

        await send(face, "nobody asked")
        await send(face, "gone", reply_to="amq.gen-of-a-gateway-that-has-ended")
        await send(face, "ours", reply_to="result_queue")
        await send(b"no picture", "broken", reply_to=here)
        await send(face, "good", reply_to=here, correlation_id="c")
        await aeventually("two answers", lambda: len(replies) == 2)
        broken, good = (parse_result(each.body) for each in replies)
        assert (broken.frame_id, broken.status, broken.reason) == ("broken", "expired", "not_an_image")
        assert (good.frame_id, good.status, len(good.detections)) == ("good", "ok", 1)
        assert replies[1].correlation_id == "c"
        await b.task(task(face, camera_id="gate", frame_id="other"))
        await aeventually("another camera's result", lambda: got.deliveries)
        await aeventually("it is counted", lambda: worker.metric("cv_frames_processed_total") == 1)
        assert [parse_result(each.body).frame_id for each in got.deliveries] == ["other"]
        assert dead.deliveries == []
        assert worker.metric("cv_clock_skew_total") == 0
    assert worker.stop() == 0
