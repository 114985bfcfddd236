"""Videos as inputs of a job, on a real broker with real workers: what is analysed and told, interrupted or not."""

import asyncio
import json
import os
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from batch import VideoSettings, process_batch
from batch.engine import Engine, Options
from batch.job import open_job
from broker import Consumer
from broker.errors import NoSuchQueue
from broker.session import session
from contract.jobs import JobStatus
from contract.status import parse_status
from contract.topology import STATUS_EXCHANGE, EphemeralQueue
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.images import astronaut
from tests.helpers.jobs import Command, changing_video, lines, picture, scenes
from tests.integration.test_batch import WORKER

pytestmark = pytest.mark.integration

GREY = np.full((512, 512, 3), 90, np.uint8)


def film(file: Path) -> Path:
    """Nobody for two seconds, a face for two, nobody for two, the face again for one; ten pictures a second."""
    face = cv2.resize(astronaut(), (512, 512))
    return scenes(file, [(GREY, 20), (face, 20), (GREY, 20), (face, 10)])


async def test_a_video_is_told_as_one_input(rabbitmq: str, tmp_path: Path, start: StartService) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    film(inputs / "film.avi")
    (inputs / "a.jpg").write_bytes(picture(1))
    (inputs / "broken.mp4").write_bytes(b"no video at all")
    (inputs / "none.mov").touch()
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    said: list[JobStatus] = []

    def heard(delivery: object) -> None:
        word = parse_status(delivery.body)  # type: ignore[attr-defined]
        assert isinstance(word, JobStatus)
        said.append(word)

    status = Consumer(EphemeralQueue(((STATUS_EXCHANGE, "job.#"),)), heard, no_ack=True)
    outputs = [tmp_path / name for name in ("o.ndjson", "o.csv", "o.json")]
    named: list[str | Path] = [each for output in outputs for each in ("--output", output)]
    folders: list[str | Path] = ["--output", tmp_path / "yolo", "--format", "yolo"]
    folders += ["--output", tmp_path / "drawn", "--format", "annotated"]
    async with bus(rabbitmq, status):
        await aeventually("subscribed", lambda: status.subscribed)
        command = Command(rabbitmq, tmp_path / "jobs", inputs, *named, *folders)
        assert await asyncio.to_thread(command.wait) == 1, command.said
        await aeventually("the last word", lambda: said and said[-1].state == "done")
    told = {Path(each["path"]).name: each for each in lines(tmp_path / "o.ndjson")}
    assert told.keys() == {"film.avi", "a.jpg", "broken.mp4", "none.mov"}
    assert (told["broken.mp4"]["status"], told["broken.mp4"]["reason"]) == ("failed", "not_a_video")
    assert (told["none.mov"]["status"], told["none.mov"]["reason"]) == ("failed", "empty")
    video = told["film.avi"]
    assert (video["status"], video["kind"], video["width"], video["height"]) == ("ok", "video", 512, 512)
    frames = video["frames"]
    # Nobody, refreshed once, the face, refreshed once; all else shows the same as one of them.
    assert frames["decoded"] == 70
    assert frames["analysed"] + frames["still"] + frames["repeated"] == 70
    assert frames["analysed"] == frames["computed"] <= 8
    assert video["skipped_share"] > 0.85
    assert [(each["time"], each["until"], each["count"]) for each in video["presences"]] == [
        (2.0, pytest.approx(3.9, abs=0.11), 1),
        (6.0, pytest.approx(6.9, abs=0.11), 1),
    ]
    # The face's second coming was not computed: it has the box of its first.
    first, again = video["detections"][0], video["detections"][-1]
    assert again["time"] >= 6.0
    assert again["frame"] < 40
    assert [first[key] for key in "xywh"] == [again[key] for key in "xywh"]
    assert video["windows"] == [
        {"number": 0, "time": 0.0, "until": 6.9, "samples": 70, "analysed": frames["analysed"]}
    ]
    assert f"videos: 1 of 0:07, 70 pictures, of which {frames['analysed']}" in command.said
    assert "1 not_a_video" in command.said
    worker.counts("framefleet_job_item_seconds_count", frames["analysed"] + 1)
    last = said[-1]
    assert (last.analysed, last.still + last.repeated, last.windows) == (
        frames["analysed"],
        70 - frames["analysed"],
        1,
    )
    # The other forms.
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert len(rows) == 5
    assert any("film.avi,ok,,2," in row for row in rows)
    coco = json.loads((tmp_path / "o.json").read_text())
    ids = {image["id"] for image in coco["images"]}
    assert len(ids) == len(coco["images"]) == frames["analysed"] + 3
    assert [Path(each["name"]).name for each in coco["videos"]].count("film.avi") == 1
    assert {each["image_id"] for each in coco["annotations"]} < ids
    labels = sorted((tmp_path / "yolo/labels/film.avi").glob("*.txt"))
    assert len(labels) == frames["analysed"]
    assert sum(bool(each.read_text()) for each in labels) == len(
        list((tmp_path / "drawn/film.avi").iterdir())
    )
    # Once more: nothing is decoded or computed.
    again_ = Command(rabbitmq, tmp_path / "jobs", inputs, "--output", tmp_path / "o2.ndjson")
    assert await asyncio.to_thread(again_.wait) == 1
    assert (tmp_path / "o2.ndjson").read_bytes() == (tmp_path / "o.ndjson").read_bytes()
    worker.counts("framefleet_job_item_seconds_count", frames["analysed"] + 1)
    # The file changed: it is another video now.
    scenes(inputs / "film.avi", [(GREY, 30)])
    changed = Command(rabbitmq, tmp_path / "jobs", inputs, "--output", tmp_path / "o3.ndjson")
    assert await asyncio.to_thread(changed.wait) == 1
    told = {Path(each["path"]).name: each for each in lines(tmp_path / "o3.ndjson")}
    assert told["film.avi"]["frames"]["decoded"] == 30
    assert told["film.avi"]["presences"] == []
    assert worker.stop() == 0


async def test_killed_in_mid_video_and_gone_on_with(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """kill -9 of the client: the second call completes, each sample is computed once and told once."""
    video = changing_video(tmp_path / "film.avi", 400)
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    arguments = (video, "--no-cache", "--output", tmp_path / "o.ndjson")
    first = Command(rabbitmq, tmp_path / "jobs", *arguments)
    await aeventually("a part of it", lambda: worker.metric("framefleet_job_item_seconds_count") >= 100, 60)
    first.kill()
    before = worker.metric("framefleet_job_item_seconds_count")
    assert before < 380
    second = Command(rabbitmq, tmp_path / "jobs", *arguments)
    assert await asyncio.to_thread(second.wait) == 0, second.said
    (told,) = lines(tmp_path / "o.ndjson")
    frames = told["frames"]
    assert (told["status"], frames["decoded"], frames["failed"]) == ("ok", 400, 0)
    assert frames["analysed"] == frames["computed"]
    assert frames["analysed"] > 350
    assert frames["analysed"] + frames["still"] + frames["repeated"] == 400
    assert f"{frames['analysed'] + 1} items: {frames['analysed'] + 1} ok, 0 failed" in second.said
    # What was on its way when the client died may be computed twice, and no more.
    assert frames["analysed"] <= worker.metric("framefleet_job_item_seconds_count") <= frames["analysed"] + 10


async def test_videos_in_archives(rabbitmq: str, tmp_path: Path, start: StartService) -> None:
    """They are told as those of a folder are; kill -9 in their midst leaves nothing of them, and is gone on from."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(film(tmp_path / "film.avi"), "sub/film.avi")
        archive.writestr("a.jpg", picture(1))
        archive.writestr("broken.mp4", b"no video at all")
    with tarfile.open(tmp_path / "more.tar.gz", "w:gz") as tar:
        tar.add(changing_video(tmp_path / "long.avi", 300), "long.avi")
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    arguments = (
        tmp_path / "more.tar.gz",
        tmp_path / "some.zip",
        "--no-cache",
        "--output",
        tmp_path / "o.ndjson",
    )
    drawn = ("--output", tmp_path / "drawn", "--format", "annotated")
    jobs = tmp_path / "jobs"
    first = Command(rabbitmq, jobs, *arguments, BATCH_TEMP_DIR=str(temporary))
    await aeventually("a part of it", lambda: worker.metric("framefleet_job_item_seconds_count") >= 50, 60)
    first.kill()
    assert list(temporary.iterdir()) == []
    (own,) = (each for each in jobs.iterdir() if each.name != "kept")
    assert {each.name.partition("-")[0] for each in own.iterdir()} == {"items.sqlite3", "lock"}
    second = Command(rabbitmq, jobs, *arguments, *drawn, BATCH_TEMP_DIR=str(temporary))
    assert await asyncio.to_thread(second.wait) == 1, second.said
    told = {Path(each["path"]).name: each for each in lines(tmp_path / "o.ndjson")}
    assert told.keys() == {"long.avi", "film.avi", "a.jpg", "broken.mp4"}
    assert told["film.avi"]["path"].endswith("some.zip!/sub/film.avi")
    assert [each["count"] for each in told["film.avi"]["presences"]] == [1, 1]
    assert (told["film.avi"]["frames"]["decoded"], told["long.avi"]["frames"]["decoded"]) == (70, 300)
    assert told["broken.mp4"]["reason"] == "not_a_video"
    assert "broken.mp4" in told["broken.mp4"]["error"]
    assert len(list((tmp_path / "drawn").glob("**/sub/film.avi/*.jpg"))) >= 1
    assert list(temporary.iterdir()) == []


async def test_interrupted_in_mid_video(rabbitmq: str, tmp_path: Path, start: StartService) -> None:
    video = changing_video(tmp_path / "film.avi", 3000)
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    command = Command(rabbitmq, tmp_path / "jobs", video, "--no-cache", "--output", tmp_path / "o.ndjson")
    await aeventually("it works", lambda: worker.metric("framefleet_job_item_seconds_count") >= 50, 60)
    # As `timeout` and a closed terminal do: all that belongs to the command is told to end.
    for each in psutil.Process(command.process.pid).children(recursive=True):
        each.terminate()
    command.process.terminate()
    assert await asyncio.to_thread(command.wait, 20) == 130, command.said
    assert "To go on: framefleet batch --job" in command.said
    assert ", 0 failed, " in command.said
    assert lines(tmp_path / "o.ndjson") == []  # no input is settled


def test_as_a_library_with_fewer_pictures_a_second(
    rabbitmq: str, tmp_path: Path, start: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_CACHE_DIR", str(tmp_path / "kept"))
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    report = process_batch(
        film(tmp_path / "film.avi"), amqp_url=rabbitmq, jobs=tmp_path / "jobs", video=VideoSettings(fps=1)
    )
    assert (report.videos.videos, report.videos.decoded, report.videos.thinned) == (1, 70, 63)
    (result,) = report.results()
    assert (result.kind, result.ok, len(result.presences)) == ("video", True, 2)
    assert result.detections[0]["time"] == 2.0


async def test_samples_that_the_broker_lost_are_had_from_the_video_again(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """Sent by a client that was killed, and never answered since somebody emptied the lane."""
    video = changing_video(tmp_path / "film.avi", 40)
    first = Command(rabbitmq, tmp_path / "jobs", video, "--job", "lost", "--no-cache")
    async with session([rabbitmq], "test") as opened, opened.channel() as channel:

        async def waiting() -> int:
            try:
                return (await opened.count("frame_queue.batch"))[0]
            except NoSuchQueue:
                return 0

        for _ in range(150):
            if await waiting() == 10:
                break
            await asyncio.sleep(0.1)
        assert await waiting() == 10
        first.kill()
        await channel.delete("frame_queue.batch")
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    with open_job(tmp_path / "jobs", [os.fsencode(video)], name="lost") as job:
        report = await Engine(job, [rabbitmq], Options(patience=3.0)).run()
        (told,) = report.results()
    assert (report.finished, report.failed, report.items) == (True, 0, report.videos.analysed + 1)
    assert told.ok
    assert report.retries == 10
    worker.counts("framefleet_job_item_seconds_count", report.videos.analysed)
