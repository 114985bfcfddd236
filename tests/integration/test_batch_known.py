"""Results that are kept, on a real broker with real workers: what was computed before is not sent again."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import Command, folder_of, lines
from tests.helpers.redis import PrivateRedis
from tests.integration.test_batch import WORKER

pytestmark = pytest.mark.integration

COMPUTED = "framefleet_job_item_seconds_count"


def told(file: Path) -> dict[str, object]:
    """The detections and reasons by path."""
    return {each["path"]: (each["status"], each["detections"], each["reason"]) for each in lines(file)}


async def test_another_job_over_the_same_folder_computes_nothing(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    pictures = tmp_path / "in"
    folder_of(pictures, 60, broken_every=20)
    (pictures / "face.jpg").write_bytes(jpeg(astronaut()))
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()

    async def run(name: str, *arguments: str) -> Command:
        command = Command(
            rabbitmq,
            tmp_path / "jobs",
            pictures,
            "--job",
            name,
            "--output",
            tmp_path / f"{name}.ndjson",
            *arguments,
        )
        assert await asyncio.to_thread(command.wait) == 1, command.said
        return command

    await run("first")
    worker.counts(COMPUTED, 61)
    second = await run("second")
    # Failures are not kept; and the first few are sent until the workers have told their recipe.
    known = sum(bool(each.get("cached")) for each in lines(tmp_path / "second.ndjson"))
    assert 48 <= known <= 58
    assert f"{known} were known and not computed" in second.said
    again = 61 - known
    worker.counts(COMPUTED, 61 + again)
    assert told(tmp_path / "second.ndjson") == told(tmp_path / "first.ndjson")
    await run("third", "--no-cache")
    worker.counts(COMPUTED, 61 + again + 61)
    # Another recipe: nothing of before is used.
    assert worker.stop() == 0
    other = start("worker", AMQP_URL=rabbitmq, **{**WORKER, "NODE_ID": "c"}, WORKER_THRESHOLD="0.9").ready()
    await run("fourth")
    other.counts(COMPUTED, 61)
    # Two recipes in one lane: everything is sent.
    another = start("worker", AMQP_URL=rabbitmq, **{**WORKER, "NODE_ID": "d"}).ready()
    await run("fifth")
    eventually("all are counted", lambda: other.metric(COMPUTED) + another.metric(COMPUTED) >= 61 + 61)
    assert other.metric(COMPUTED) + another.metric(COMPUTED) == 61 + 61


async def test_another_machine_knows_by_redis_and_a_frozen_one_costs_little(
    rabbitmq: str, tmp_path: Path, start: StartService, shared_redis: PrivateRedis, redis_url: str
) -> None:
    pictures = tmp_path / "in"
    folder_of(pictures, 40, broken_every=1000)
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    for number, machine in enumerate(("one", "other")):
        command = Command(
            rabbitmq,
            tmp_path / machine,
            pictures,
            BATCH_CACHE_DIR=str(tmp_path / machine / "kept"),
            REDIS_URL=redis_url,
        )
        assert await asyncio.to_thread(command.wait) == 0, command.said
        assert ("were known" in command.said) == bool(number)
    # The first few of the second are sent until its recipe has been told.
    known = re.search(r"(\d+) were known", command.said)
    assert known
    computed = 80 - int(known[1])
    assert 40 <= computed <= 50
    worker.counts(COMPUTED, computed)
    with shared_redis.frozen():
        command = Command(
            rabbitmq,
            tmp_path / "third",
            pictures,
            BATCH_CACHE_DIR=str(tmp_path / "third" / "kept"),
            REDIS_URL=redis_url,
        )
        assert await asyncio.to_thread(command.wait, 30) == 0, command.said
    worker.counts(COMPUTED, computed + 40)


async def test_a_wrong_setting_is_told(rabbitmq: str, tmp_path: Path) -> None:
    for name, value in (("REDIS_URL", "nonsense"), ("BATCH_CACHE_DAYS", "-1"), ("BATCH_CACHE_FOLDER", "/x")):
        command = Command(rabbitmq, tmp_path / "jobs", tmp_path, **{name: value})
        assert await asyncio.to_thread(command.wait) != 0
        assert name in command.said
        assert "Traceback" not in command.said
