"""Jobs on a real broker with real workers: every input is settled once, and nobody but the job ever hears of it."""

import asyncio
from pathlib import Path

import pytest

from batch import BatchError, Progress, process_batch
from batch.tasks import digest_of, item_task
from broker import Consumer, Delivery
from broker.session import session
from cli.batch_workers import BatchWorkers
from contract.jobs import JobStatus, answers_queue
from contract.status import Status, parse_status
from contract.topology import STATUS_EXCHANGE, EphemeralQueue, Lane
from tests.conftest import StartService
from tests.faults.patched import patch, unhurried
from tests.helpers.bus import Collector, bus, dead_letters, results
from tests.helpers.eventually import aeventually
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import BROKEN, Command, folder_of, lines, picture

pytestmark = pytest.mark.integration

WORKER = {"WORKER_LANE": "batch", "WORKER_DETECTOR": "haar", "NODE_ID": "b", "WORKER_BATCH_SHARE": "0.5"}


async def test_a_folder_is_computed_and_nobody_else_hears_of_it(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """Not the results, not the history's queue, not the dead letters, not who watches, not the live figures."""
    pictures = tmp_path / "in"
    expected = folder_of(pictures, 60, broken_every=20)
    (pictures / "face.jpg").write_bytes(jpeg(astronaut()))
    (pictures / "empty.jpg").touch()
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    got, dead = results(), dead_letters()
    heard: list[Delivery] = []
    said: list[Status] = []
    seen = Consumer(EphemeralQueue((("results", "#"), ("watch", "#"))), heard.append, no_ack=True)
    status = Consumer(
        EphemeralQueue(((STATUS_EXCHANGE, "job.#"),)),
        lambda each: said.append(parse_status(each.body)),
        no_ack=True,
    )
    async with bus(rabbitmq, got, dead, seen, status):
        await aeventually("subscribed", lambda: seen.subscribed and status.subscribed)
        command = Command(
            rabbitmq, tmp_path / "jobs", pictures, "--output", tmp_path / "o.ndjson", "--job", "mine"
        )
        assert await asyncio.to_thread(command.wait) == 1, command.said
        written = {each["path"]: each for each in lines(tmp_path / "o.ndjson")}
        assert written.keys() == expected | {str(pictures / "face.jpg"), str(pictures / "empty.jpg")}
        assert len(lines(tmp_path / "o.ndjson")) == len(written)
        assert [box["label"] for box in written[str(pictures / "face.jpg")]["detections"]] == ["face"]
        assert sorted(each["reason"] for each in written.values() if each["status"] == "failed") == [
            "empty",
            *["not_an_image"] * 3,
        ]
        assert "62 items: 58 ok, 4 failed" in command.said
        assert "3 not_an_image, 1 empty" in command.said
        # The worker counts them as items, and no age or failure of live frames.
        worker.counts("cv_frames_processed_total", 58)
        worker.counts('framefleet_job_items_total{node_id="b",outcome="ok"}', 58)
        worker.counts('framefleet_job_items_total{node_id="b",outcome="not_an_image"}', 3)
        worker.counts("framefleet_job_item_seconds_count", 61)
        assert worker.metric("cv_frame_age_seconds_count") == 0
        assert worker.metric('cv_frames_failed_total{node_id="b",reason="not_an_image"}') == 0
        await asyncio.sleep(0.3)
        assert (got.deliveries, dead.deliveries, heard) == ([], [], [])
        last = said[-1]
        assert isinstance(last, JobStatus)
        assert (last.job_id, last.state, last.items, last.ok, last.failed, last.listed) == (
            "mine",
            "done",
            62,
            58,
            4,
            True,
        )
        # Once more: nothing is computed again, and the file is the same.
        again = Command(
            rabbitmq, tmp_path / "jobs", pictures, "--output", tmp_path / "o2.ndjson", "--job", "mine"
        )
        assert await asyncio.to_thread(again.wait) == 1
        assert (tmp_path / "o2.ndjson").read_bytes() == (tmp_path / "o.ndjson").read_bytes()
        worker.counts("framefleet_job_item_seconds_count", 61)
        # A changed file is computed again, and a new one for the first time.
        (pictures / "empty.jpg").write_bytes(picture(5))
        (pictures / "new.jpg").write_bytes(picture(6))
        once_more = Command(
            rabbitmq, tmp_path / "jobs", pictures, "--output", tmp_path / "o3.ndjson", "--job", "mine"
        )
        assert await asyncio.to_thread(once_more.wait) == 1
        assert "63 items: 60 ok, 3 failed" in once_more.said
        worker.counts("framefleet_job_item_seconds_count", 63)
    async with session([rabbitmq], "test") as opened, opened.channel() as channel:
        from broker.errors import NoSuchQueue

        with pytest.raises(NoSuchQueue):
            await channel.count(answers_queue("mine").name)
    assert worker.stop() == 0


async def test_interrupted_without_workers_and_gone_on_with(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """It says that nobody works and how to start a worker; what it had sent is answered while it is away."""
    folder_of(tmp_path / "in", 40, broken_every=1000)
    command = Command(rabbitmq, tmp_path / "jobs", tmp_path / "in")
    async with session([rabbitmq], "test") as opened:

        async def waiting() -> int:
            try:
                return (await opened.count("frame_queue.batch"))[0]
            except Exception:
                return 0

        for _ in range(100):
            if await waiting() == 10:
                break
            await asyncio.sleep(0.1)
        assert await waiting() == 10  # the window, and no more
        await asyncio.sleep(4)
        command.interrupt()
        assert await asyncio.to_thread(command.wait) == 130
        assert "nobody works on the lane batch" in command.said
        assert "WORKER_LANE=batch" in command.said
        assert "40 still waiting" in command.said
        (told,) = [line for line in command.said.splitlines() if line.startswith("To go on: ")]
        worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
        await aeventually(
            "they are computed", lambda: worker.metric("framefleet_job_item_seconds_count") == 10
        )
        job = told.split("--job ")[1].split()[0]
        again = Command(rabbitmq, tmp_path / "jobs", "--job", job, "--output", tmp_path / "o.csv")
        assert await asyncio.to_thread(again.wait) == 0, again.said
        assert "40 items: 40 ok, 0 failed" in again.said
        worker.counts("framefleet_job_item_seconds_count", 40)  # nothing twice


async def test_a_disk_that_fills_ends_the_job_and_nothing_is_lost(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    folder_of(tmp_path / "in", 400, broken_every=50)
    # Else a fast machine may be done before its disk is full.
    unhurried_worker = patch(tmp_path / "unhurried", unhurried(0.02))
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER, **unhurried_worker).ready()
    arguments = (tmp_path / "in", "--job", "mine", "--no-cache", "--output", tmp_path / "o.ndjson")
    first = Command(rabbitmq, tmp_path / "jobs", *arguments)
    await aeventually("it works", lambda: worker.metric("framefleet_job_item_seconds_count") >= 40, 60)
    with files_of_at_most(4_096, first.process.pid):
        assert await asyncio.to_thread(first.wait) == 1
    assert "cannot be kept" in first.said
    assert "Traceback" not in first.said
    assert not (tmp_path / "o.ndjson").exists()
    second = Command(rabbitmq, tmp_path / "jobs", *arguments)
    assert await asyncio.to_thread(second.wait) == 1, second.said
    told = lines(tmp_path / "o.ndjson")
    assert (len(told), sum(each["status"] == "failed" for each in told)) == (400, 8)
    # What was under way may be computed twice, and no more.
    assert 400 <= worker.metric("framefleet_job_item_seconds_count") <= 420


def test_from_a_program_that_has_an_event_loop(
    rabbitmq: str, tmp_path: Path, start: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook; an archive, with progress."""
    monkeypatch.setenv("BATCH_CACHE_DIR", str(tmp_path / "kept"))
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(12):
            archive.writestr(f"{number}.jpg", picture(number))
        archive.writestr("bad.jpg", BROKEN)
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    progress: list[Progress] = []

    async def notebook() -> None:
        report = process_batch(
            tmp_path / "a.zip", progress.append, amqp_url=rabbitmq, jobs=tmp_path / "jobs", concurrency=3
        )
        assert (report.ok, report.failed, report.finished, report.exit_code) == (12, 1, True, 1)
        results = {each.path: each for each in report.results()}
        assert len(results) == 13
        assert results[f"{tmp_path}/a.zip!/bad.jpg"].reason == "not_an_image"
        assert results[f"{tmp_path}/a.zip!/3.jpg"].width == 64

    asyncio.run(notebook())
    assert progress[-1].settled == 13
    assert max(each.outstanding for each in progress) <= 3 + 5  # the window, and what is read ahead


def test_a_program_is_told_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMQP_URL", raising=False)
    monkeypatch.setattr("batch.process.ENDPOINTS", tmp_path / "none.json")
    with pytest.raises(BatchError, match="make up"):
        process_batch(["a"], jobs=tmp_path)
    with pytest.raises(BatchError):
        process_batch(["a"], amqp_url="http://no", jobs=tmp_path)


async def test_an_answer_is_kept_for_a_client_that_is_away_and_a_full_queue_holds_no_worker(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """A named sender may not have a job's queue; a reply_to that leads nowhere holds nothing up."""
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    collected = Collector(answers_queue("away").name)
    async with bus(rabbitmq) as b:
        image = picture(1)
        nowhere = item_task("nobody", 1, digest_of(image), image, Lane.BATCH, None)
        await b.publish(nowhere)
        await aeventually("settled", lambda: worker.metric("framefleet_job_item_seconds_count") == 1)
        async with session([rabbitmq], "test") as opened, opened.channel() as channel:
            await channel.declare(answers_queue("away"))
        await b.publish(item_task("away", 1, digest_of(image), image, Lane.BATCH, None))
        await aeventually("settled", lambda: worker.metric("framefleet_job_item_seconds_count") == 2)
    async with bus(rabbitmq, collected):
        await aeventually("the answer", lambda: collected.deliveries)
        assert len(collected.deliveries) == 1
        assert collected.deliveries[0].properties.delivery_mode == 2


async def test_workers_of_the_lane_come_when_something_waits_and_go_when_nothing_does(rabbitmq: str) -> None:
    asked: list[int] = []
    said: list[str] = []

    async def scale(wanted: int) -> None:
        asked.append(wanted)

    keeping = asyncio.create_task(BatchWorkers([rabbitmq], 3, scale, said.append, idle=2.0).run())
    try:
        await asyncio.sleep(3)
        assert asked == []
        async with bus(rabbitmq) as b:
            image = picture(1)
            await b.publish(item_task("j", 1, digest_of(image), image, Lane.BATCH, None))
            await aeventually("a worker, and another while it still waits", lambda: asked == [1, 2])
            async with bus(rabbitmq, Collector("frame_queue.batch")):
                await aeventually("they end", lambda: asked[-1] == 0)
            await b.publish(item_task("j", 2, digest_of(image), image, Lane.BATCH, None))
            await aeventually("they come again", lambda: asked[-1] == 1)
    finally:
        keeping.cancel()
    assert [line.split(":")[0] for line in said[:2]] == ["Items of a job wait", "No items for 2 s"]
