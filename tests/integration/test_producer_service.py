"""`python -m producer` against a real broker."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broker import Consumer
from cli.rabbitmq import RabbitMQNode
from contract.status import CameraStatus, ProducerStatus, Status, parse_status
from contract.task import parse_task
from contract.topology import STATUS_EXCHANGE, EphemeralQueue
from producer.sources import demo
from tests.helpers.bus import Collector, bus
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import largest_message
from tests.helpers.images import encoded
from tests.helpers.media import jpeg, write_video
from tests.helpers.workers import timed_workers

pytestmark = pytest.mark.integration


class StatusLog(Consumer):
    """Every heartbeat that was published."""

    def __init__(self) -> None:
        self.seen: list[Status] = []
        super().__init__(
            EphemeralQueue(bindings=((STATUS_EXCHANGE, "#"),)),
            lambda delivery: self.seen.append(parse_status(delivery.body)),
            no_ack=True,
        )

    def states(self, camera_id: str) -> list[str]:
        """The states of a camera, each once per transition."""
        states = [s.state for s in self.seen if isinstance(s, CameraStatus) and s.camera_id == camera_id]
        return [state for n, state in enumerate(states) if n == 0 or states[n - 1] != state]


@pytest.mark.parametrize("form", ["base64", "compact"])
async def test_a_task_says_where_it_comes_from(rabbitmq: str, start: Any, form: str) -> None:
    queue = Collector("frame_queue")
    async with bus(rabbitmq, queue):
        producer = start(
            "producer", AMQP_URL=rabbitmq, SOURCE="lobby=demo:1", PRODUCER_FORM=form, PRODUCER_MODEL="haar"
        )
        await aeventually("a frame", lambda: queue.deliveries)
        delivery = queue.deliveries[0]
        task = parse_task(
            delivery.body, content_type=delivery.content_type, headers=delivery.headers, message_id=None
        )
        assert delivery.content_type == ("application/json" if form == "base64" else "image/jpeg")
        assert (task.camera_id, task.model) == ("lobby", "haar")
        camera, began, number = task.frame_id.split(":")
        assert (camera, number) == ("lobby", "0")
        assert 0 <= time.time() - int(began) / 1000 < 30
        assert 0 <= time.time() - task.timestamp < 10
        assert task.image == demo.jpeg(1, 0)
        assert delivery.reply_to
        assert delivery.correlation_id == delivery.message_id == task.frame_id
        assert producer.stop() == 0


async def test_heartbeats_tell_of_producer_and_cameras(rabbitmq: str, start: Any, tmp_path: Path) -> None:
    status = StatusLog()
    async with bus(rabbitmq, status):
        await aeventually("the listener", lambda: status.subscribed)
        source = f"demo:1,gone={tmp_path}/gone.mkv,door=rtsp://me:hunter2@127.0.0.1:9/s"
        producer = start("producer", AMQP_URL=rabbitmq, SOURCE=source, PRODUCER_ID="p.1")
        await aeventually("live", lambda: status.states("demo-1")[-1:] == ["live"])
        await aeventually("offline", lambda: status.states("gone")[-1:] == ["offline"])
        await aeventually("offline too", lambda: status.states("door")[-1:] == ["offline"])
        gone, door = (
            next(s for s in reversed(status.seen) if isinstance(s, CameraStatus) and s.camera_id == camera)
            for camera in ("gone", "door")
        )
        assert "does not exist" in (gone.reason or "")
        assert "refuses the connection" in (door.reason or "")
        assert producer.metric('producer_camera_up{camera_id="demo-1"}') == 1
        assert producer.metric('producer_camera_up{camera_id="door"}') == 0
        assert producer.metric('producer_camera_errors_total{camera_id="door",reason="refused"}') >= 1
        heartbeats = [s for s in status.seen if isinstance(s, ProducerStatus)]
        assert heartbeats[-1].producer_id == "p.1"
        assert (heartbeats[-1].cameras, heartbeats[-1].state) == (3, "running")
        assert producer.stop() == 0
        await aeventually(
            "the goodbye", lambda: isinstance(s := status.seen[-1], ProducerStatus) and s.end == "asked"
        )
    assert "hunter2" not in producer.log.read_text()


async def test_frames_that_fail_are_answered_and_counted_and_none_is_waited_for(
    rabbitmq: str, start: Any
) -> None:
    start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar").ready()
    producer = start(
        "producer", AMQP_URL=rabbitmq, SOURCE="demo:1", PRODUCER_MODEL="nosuch", PRODUCER_FPS="20"
    )
    failed = 'framefleet_replies_failed_total{camera_id="demo-1",reason="unknown_model"}'
    await aeventually("it is told", lambda: producer.metric(failed) >= 3)
    sent = producer.metric('producer_frames_sent_total{camera_id="demo-1"}')
    assert sent <= producer.metric(failed) + 2, "the camera rests"
    assert producer.metric('producer_replies_missing_total{camera_id="demo-1"}') == 0
    assert "cannot be read" not in producer.log.read_text()
    assert producer.stop() == 0


@pytest.mark.alone
async def test_five_fold_overload_stays_fresh_bounded_and_fair(rabbitmq: str, start: Any) -> None:
    async with timed_workers(rabbitmq, count=2, seconds=0.05) as workers:  # 40 frames a second
        producer = start("producer", AMQP_URL=rabbitmq, SOURCE="demo:20", PRODUCER_FPS="10")
        producer.ready()
        await asyncio.sleep(3)
        since, most = time.time(), 0.0
        while time.time() < since + 4:
            most = max(most, await asyncio.to_thread(producer.metric, "producer_outstanding_frames"))
            await asyncio.sleep(0.2)
        taken = [task for (when, _), task in zip(workers.ages, workers.tasks, strict=True) if when >= since]
        shares = list(Counter(task.camera_id for task in taken).values())
        assert workers.p95_age(since) < 0.5  # in the slot (up to 0.1 s) and in the queue (about 0.2 s)
        assert most <= 20
        assert len(taken) >= 0.9 * 4 * 40
        assert len(shares) == 20
        assert sum(shares) ** 2 / (20 * sum(s * s for s in shares)) >= 0.95  # Jain's index
        assert producer.stop() == 0


async def test_without_workers_few_frames_wait_and_the_first_worker_wakes_it(
    rabbitmq: str, start: Any
) -> None:
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE="demo:20", PRODUCER_FPS="10")
    producer.ready()
    await asyncio.sleep(6)
    sent = sum(producer.metric(f'producer_frames_sent_total{{camera_id="demo-{n}"}}') for n in range(1, 21))
    assert 1 <= sent <= 8
    assert producer.metric("producer_outstanding_frames") <= 5
    replaced = 'producer_frames_dropped_total{camera_id="demo-1",reason="replaced"}'
    await aeventually("newer frames replace the one that waits", lambda: producer.metric(replaced) > 10)
    async with timed_workers(rabbitmq, count=2, seconds=0.01) as workers:
        await aeventually("frames flow", lambda: len(workers.tasks) > 100, seconds=8)
        assert producer.stop() == 0


async def test_lost_replies_do_not_stop_a_camera(rabbitmq: str, start: Any) -> None:
    async with timed_workers(rabbitmq, count=1, seconds=0.01, answer=False) as workers:
        producer = start("producer", AMQP_URL=rabbitmq, SOURCE="demo:1")
        await aeventually("a frame", lambda: workers.tasks)
        await aeventually("another", lambda: len(workers.tasks) > 1, seconds=15)
        assert producer.metric('producer_replies_missing_total{camera_id="demo-1"}') >= 1
        workers.answer = True
        await aeventually("the flow", lambda: len(workers.tasks) > 20, seconds=15)
        assert "no worker answers" not in producer.log.read_text()


async def test_a_batch_of_files_arrives_whole_and_the_producer_exits(
    rabbitmq: str, start: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(20):
        (folder / f"{n:02}.jpg").write_bytes(jpeg(n))
    (folder / "07.jpg").write_bytes(b"rubbish")
    video = write_video(tmp_path / "yard.mkv", frames=30)
    queue = Collector("frame_queue.batch")
    async with bus(rabbitmq, queue):
        producer = start(
            "producer",
            AMQP_URL=rabbitmq,
            SOURCE=f"{folder},{video}",
            PRODUCER_LANE="batch",
            PRODUCER_END="finish",
        )
        status = await asyncio.to_thread(producer.process.wait, 20)
        assert status == 0, producer.log.read_text()
        await aeventually("all frames", lambda: len(queue.deliveries) >= 49)
        tasks = [parse_task(d.body, content_type=d.content_type, headers=d.headers) for d in queue.deliveries]
        assert len(queue.deliveries) == 49
        assert Counter(task.camera_id for task in tasks) == {"pictures": 19, "yard": 30}
        assert [t.image for t in tasks if t.camera_id == "pictures"] == [jpeg(n) for n in range(20) if n != 7]
        assert not queue.deliveries[0].reply_to
    assert producer.log.read_text().count("07.jpg") == 1


async def test_a_picture_that_the_broker_refuses_is_left_out_of_a_batch(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.jpg").write_bytes(jpeg(n))
    large = encoded(np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8), ".png")
    (folder / "1a.png").write_bytes(large)
    queue = Collector("frame_queue.batch")
    async with bus(rabbitmq, queue), largest_message(shared_rabbitmq, len(large)):
        producer = start(
            *("producer",),
            AMQP_URL=rabbitmq,
            SOURCE=str(folder),
            PRODUCER_LANE="batch",
            PRODUCER_END="finish",
        )
        assert await asyncio.to_thread(producer.process.wait, 60) == 0
        await aeventually("the others", lambda: len({d.message_id for d in queue.deliveries}) == 3)
    assert producer.log.read_text().count("frame left out: the broker refuses its message") == 1


async def test_a_batch_waits_for_a_full_queue(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: Any, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "yard.mkv", frames=30)
    vhost = rabbitmq.rsplit("/", 1)[1]
    await asyncio.to_thread(
        shared_rabbitmq.ctl,
        *(
            "set_policy",
            "-p",
            vhost,
            "--apply-to",
            "queues",
            "small",
            r"^frame_queue\.batch$",
            '{"max-length":5}',
        ),
    )
    producer = start(
        "producer", AMQP_URL=rabbitmq, SOURCE=str(video), PRODUCER_LANE="batch", PRODUCER_END="finish"
    )
    await aeventually("it waits", lambda: "waiting for the queue" in producer.log.read_text())
    queue = Collector("frame_queue.batch")
    async with bus(rabbitmq, queue):
        assert await asyncio.to_thread(producer.process.wait, 60) == 0
        await aeventually("all frames", lambda: len({d.message_id for d in queue.deliveries}) == 30)


async def test_it_reconnects_and_goes_on(rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: Any) -> None:
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE="demo:2")
    producer.ready()
    vhost = rabbitmq.rsplit("/", 1)[1]
    await asyncio.to_thread(shared_rabbitmq.ctl, "close_all_connections", "--vhost", vhost, "a test says so")
    await aeventually("lost", lambda: "broker unreachable" in producer.log.read_text())
    async with timed_workers(rabbitmq, count=2, seconds=0.01) as workers:
        await aeventually("the flow", lambda: len(workers.tasks) > 30)
        assert producer.stop() == 0


async def test_a_deleted_queue_comes_back(rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: Any) -> None:
    async with timed_workers(rabbitmq, count=1, seconds=0.01) as workers:
        start("producer", AMQP_URL=rabbitmq, SOURCE="demo:2")
        await aeventually("the flow", lambda: len(workers.tasks) > 5)
    vhost = rabbitmq.rsplit("/", 1)[1]
    await asyncio.to_thread(shared_rabbitmq.ctl, "delete_queue", "-p", vhost, "frame_queue")
    async with timed_workers(rabbitmq, count=1, seconds=0.01) as workers:
        await aeventually("the flow again", lambda: len(workers.tasks) > 20, seconds=20)


@pytest.mark.parametrize(
    ("environment", "status", "says"),
    [
        ({"SOURCE": "/no/such.mkv"}, 2, "no such file"),
        ({"SOURCE": "gopher://x"}, 2, "not known"),
        ({"PRODUCER_FSP": "1"}, 2, "did you mean PRODUCER_FPS"),
        ({"PRODUCER_FPS": "fast"}, 2, "PRODUCER_FPS"),
        ({"AMQP_URL": "http://guest:hunter2@x"}, 2, "amqp://"),
    ],
)
def test_what_cannot_work_says_so_and_exits(
    start: Any, environment: dict[str, str], status: int, says: str
) -> None:
    producer = start("producer", **{"AMQP_URL": "amqp://127.0.0.1:9/", **environment})
    assert producer.process.wait(30) == status
    text = producer.log.read_text()
    assert says in text
    assert "hunter2" not in text
    assert "Traceback" not in text


async def test_sources_that_cannot_be_read_end_the_producer(rabbitmq: str, start: Any) -> None:
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE=__file__)
    assert await asyncio.to_thread(producer.process.wait, 30) == 1
    assert "no source can be read" in producer.log.read_text()
