"""A producer whose cameras are in a file, against a real broker and real HTTP cameras."""

import asyncio
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.status import CamerasStatus, ProducerStatus
from contract.task import Task
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.workers import timed_workers
from tests.integration.test_producer_service import StatusLog

pytestmark = pytest.mark.integration

PLAIN = """
defaults: {fps: 10}
groups: {yard: {district: Harbour}}
cameras:
  - {id: one, source: "demo:1", name: The first, group: yard}
  - {id: two, source: "demo:1"}
"""


def replace(path: Path, text: str) -> None:
    """As editors do it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def named(status: StatusLog) -> dict[str, Any]:
    """The cameras of the last heartbeat, by id."""
    beats = [s for s in status.seen if isinstance(s, CamerasStatus)]
    return {report.camera_id: report for report in beats[-1].cameras} if beats else {}


async def test_cameras_come_go_and_change_with_the_file(rabbitmq: str, start: Any, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(PLAIN)
    status = StatusLog()
    async with timed_workers(rabbitmq, count=2, seconds=0.002) as workers:

        def since(moment: float) -> dict[str, Task]:
            """The newest task of each camera that came after."""
            pairs = zip(workers.ages, workers.tasks, strict=True)
            return {task.camera_id: task for (when, _), task in pairs if when >= moment}

        async with bus(rabbitmq, status):
            producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file), PRODUCER_ID="p")
            await aeventually("both", lambda: since(0).keys() == {"one", "two"})
            await aeventually("a heartbeat", lambda: named(status).keys() == {"one", "two"})
            labels = named(status)["one"].labels
            assert (labels.name, labels.group, labels.district) == ("The first", "yard", "Harbour")
            began = since(0)["one"].frame_id.split(":")[1]

            replace(
                file, PLAIN.replace("cameras:", "cameras:\n  - {id: three, source: 'demo:1', model: haar}")
            )
            await aeventually("the third", lambda: "three" in since(0))
            assert since(0)["three"].model == "haar"

            replace(
                file, PLAIN.replace("id: two", "id: four").replace("group: yard", "group: yard, model: yunet")
            )
            await aeventually("the change", lambda: since(0)["one"].model == "yunet")
            await aeventually("the fourth", lambda: "four" in since(0))
            await aeventually("the others gone", lambda: named(status).keys() == {"one", "four"})
            beat = [s for s in status.seen if isinstance(s, CamerasStatus)][-1]
            assert set(beat.removed) == {"two", "three"}
            # It was not opened again for that: the same run of frames.
            assert since(0)["one"].frame_id.split(":")[1] == began
            exposed = await asyncio.to_thread(producer.get, "/metrics")
            assert 'camera_id="one"' in exposed[1]
            assert 'camera_id="two"' not in exposed[1]

            replace(file, PLAIN.replace("id: two", "id: two, enabled: off"))
            await aeventually("switched off", lambda: status.states("two")[-1:] == ["disabled"])
            line = 'producer_camera_disabled{camera_id="two"}'
            assert await asyncio.to_thread(producer.metric, line) == 1

            replace(file, PLAIN.replace("fps: 10", "fps: ten"))
            await aeventually(
                "the complaint", lambda: "defaults: fps: 'ten' is not a number" in producer.log.read_text()
            )
            replace(file, "cameras: [")
            await aeventually("the refusal", lambda: "all stays as it was" in producer.log.read_text())
            moment = time.time()
            await aeventually("frames go on", lambda: "one" in since(moment))
            trouble = next(s for s in reversed(status.seen) if isinstance(s, ProducerStatus)).file
            assert trouble is not None
            assert (trouble.path, trouble.used, trouble.count) == (str(file), False, 1)
            assert trouble.problems[0].line == 2
            assert await asyncio.to_thread(producer.metric, "producer_camera_file_problems") >= 1
            assert producer.stop() == 0


async def test_masked_parts_never_leave_the_producer(rabbitmq: str, start: Any, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(
        "cameras: [{id: one, source: 'demo:1', masks: [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]], longer_side: 320}]"
    )
    async with timed_workers(rabbitmq, count=1, seconds=0.002) as workers:
        producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file))
        await aeventually("frames", lambda: len(workers.tasks) >= 3)
        for task in workers.tasks:
            image = cv2.imdecode(np.frombuffer(task.image, np.uint8), cv2.IMREAD_COLOR)
            assert image is not None
            assert max(image.shape) == 320
            assert image[:, : image.shape[1] // 2 - 8].max() < 16  # black, but for what JPEG makes of an edge
            assert image[:, image.shape[1] // 2 + 8 :].mean() > 16
        assert producer.stop() == 0


@pytest.mark.parametrize(
    ("text", "environment", "says"),
    [
        (None, {}, "cannot be read: No such file"),
        ("cameras: {}", {}, "line 1: below cameras comes a list"),
        ("cameras: []", {"SOURCE": "demo"}, "leave one of them out"),
    ],
)
def test_a_file_that_cannot_be_used_says_so_and_exits(
    rabbitmq: str, start: Any, tmp_path: Path, text: str | None, environment: dict[str, str], says: str
) -> None:
    file = tmp_path / "cameras.yaml"
    if text is not None:
        file.write_text(text)
    producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file), **environment)
    assert producer.process.wait(20) == 2
    log = producer.log.read_text()
    assert says in log
    assert "Traceback" not in log


async def test_one_bad_camera_never_stops_the_rest_and_shows_no_secret(
    rabbitmq: str, start: Any, tmp_path: Path
) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text(
        "cameras:\n"
        "  - {id: good, source: 'demo:1'}\n"
        "  - {id: far, source: 'http://me:${CAMERA_DOOR_PASSWORD}@127.0.0.1:9/a.jpg'}\n"
        "  - {id: bad, source: 'http://me:${CAMERA_NO_SUCH_THING}@h/a.jpg'}\n"
    )
    async with timed_workers(rabbitmq, count=1, seconds=0.002) as workers:
        producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file), CAMERA_DOOR_PASSWORD="hunter2")
        await aeventually("frames", lambda: workers.tasks)
        await aeventually("the far one's failure", lambda: "camera offline" in producer.log.read_text())
        log = producer.log.read_text()
        assert "line 4: camera bad: source: the environment variable CAMERA_NO_SUCH_THING is not set" in log
        assert "hunter2" not in log
        assert producer.stop() == 0
