"""The books of videos: samples settle their video, once; one that changed is forgotten; boxes are of its own size."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.cache.results import levels
from batch.footage import Footage
from batch.inputs.found import Found
from batch.inputs.kinds import VIDEO
from batch.job import Job, open_job
from batch.known import HEARD_SECONDS, KnownResults
from batch.outputs.lines import ndjson
from batch.outputs.videos import placed
from batch.report import sum_up
from batch.store import Answer, State
from batch.video.report import VideoReport
from batch.video.settings import VideoSettings
from batch.video.timeline import HeldResult
from batch.video.windows import WindowSpan, without_contained
from contract.result import DetectedObject
from contract.status import NodeStatus
from contract.topology import Lane
from tests.helpers.jobs import changing_video
from tests.helpers.results import result

FACE = {"x": 10, "y": 20, "w": 30, "h": 40, "confidence": 0.9, "label": "face", "landmarks": [[11, 21]]}
FOUND = Answer(ok=True, detections=json.dumps([FACE]), width=100, height=50, model="m@1", processing=0.01)
NOTHING = Answer(ok=True, detections="[]", width=100, height=50, model="m@1", processing=0.01)
FAILED = Answer(ok=False, reason="crashed", error="it did")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    changing_video(tmp_path / "film.avi", 12)
    with open_job(tmp_path / "jobs", [str(tmp_path / "film.avi").encode()]) as opened:
        opened.store.add([Found(str(tmp_path / "film.avi").encode(), 1, 1, kind=VIDEO)])
        yield opened


async def read(job: Job, footage: Footage) -> list[int]:
    """Read the video; the numbers of the samples that wait."""
    (item,) = job.store.open_items(State.WAITING)
    numbers = []
    async for loaded in footage.samples(item):
        assert loaded.picture.startswith(b"\xff\xd8")
        footage.began(loaded.item)
        numbers.append(loaded.item.number)
    footage.look(item.number)
    return numbers


async def ended(job: Job, footage: Footage, numbers: list[int], answer: Answer | None) -> None:
    """Settle these samples, or leave them without an answer."""
    for number in numbers:
        job.store.claim(number, "d" * 64, 1)
        job.store.sent(number)
        (item,) = [each for each in job.store.open_items(State.SENT) if each.number == number]
        if answer is None:
            job.store.unsend(number)
        else:
            job.store.settle(number, answer)
        footage.ended(item)


async def test_a_video_is_settled_when_its_samples_are_and_read_again_for_those_that_are_not(
    job: Job,
) -> None:
    footage = Footage(job)
    numbers = await read(job, footage)
    assert len(numbers) == 12
    await ended(job, footage, numbers[:5], FOUND)
    await ended(job, footage, numbers[5:9], FAILED)
    await ended(job, footage, numbers[9:], None)
    assert job.store.counts() == {State.OK: 5, State.FAILED: 4, State.WAITING: 4, State.SENT: 0}
    assert list(job.store.rows()) == []  # the video is not settled, and samples are not inputs
    assert await read(job, footage) == numbers[9:]
    await ended(job, footage, numbers[9:], NOTHING)
    assert job.store.counts() == {State.OK: 9, State.FAILED: 4, State.WAITING: 0, State.SENT: 0}
    (line,) = ["".join(each) for each in ndjson(job.store)]
    told = json.loads(line)
    assert (told["status"], told["frames"]["computed"], told["frames"]["failed"]) == ("ok", 8, 4)
    assert [each["reason"] for each in told["failed_frames"]] == ["crashed"] * 4
    assert len(told["detections"]) == 5
    # What failed is tried again, and its video with it.
    assert job.store.retry_failed() == 4
    assert await read(job, footage) == numbers[5:9]
    await ended(job, footage, numbers[5:9], FOUND)
    assert job.store.counts()[State.OK] == 13
    await footage.close()


async def test_one_of_which_all_samples_failed_has_failed(job: Job) -> None:
    footage = Footage(job)
    await ended(job, footage, await read(job, footage), FAILED)
    (row,) = job.store.rows()
    assert (row.state, row.reason) == (State.FAILED, "crashed")
    await footage.close()


async def test_a_video_that_changes_is_forgotten_with_its_samples(job: Job) -> None:
    footage = Footage(job)
    numbers = await read(job, footage)
    await ended(job, footage, numbers[:6], FOUND)
    (item,) = job.store.open_items(State.WAITING)
    job.store.add([Found(item.path, 1, 99, kind=VIDEO)])
    assert job.store.counts() == {State.OK: 0, State.FAILED: 0, State.WAITING: 1, State.SENT: 0}
    for number in numbers[6:]:  # answers to what it was come late, and count for nothing
        assert not job.store.settle(number, FOUND)
    assert list(job.store.videos.reports()) == []
    assert len(await read(job, footage)) == 12
    await footage.close()


def test_boxes_are_told_for_the_video_s_own_size(job: Job) -> None:
    (item,) = job.store.open_items(State.WAITING)
    entered = job.store.videos.enter(item.number, item.path, 3, 0.5, (400, 100))
    job.store.settle(entered.number, FOUND)
    job.store.videos.hold(item.number, [HeldResult(3, 0.5, 1.25), HeldResult(7, 1.3, 2.0)])
    job.store.videos.read(item.number, VideoReport(decoded=8, analysed=1, still=7))
    (found,) = placed(job.store, item.number)
    assert found == {
        **FACE,
        "x": 40,
        "y": 40,
        "w": 120,
        "h": 80,
        "landmarks": [[44, 42]],
        "time": 0.5,
        "until": 1.25,
        "frame": 3,
    }


def test_other_settings_are_another_job(tmp_path: Path) -> None:
    with open_job(tmp_path, [b"a"]) as usual, open_job(tmp_path, [b"a"], video=VideoSettings(fps=1)) as other:
        assert usual.job_id != other.job_id
    with open_job(tmp_path, [], name=other.job_id) as again:
        assert again.wish.video == VideoSettings(fps=1)


def test_a_window_that_holds_nothing_of_its_own_is_none() -> None:
    spans = [WindowSpan(0, 0.0, 14.0), WindowSpan(1, 12.0, 14.0), WindowSpan(2, 14.1, 20.0)]
    assert [each.number for each in without_contained(spans)] == [0, 2]
    assert without_contained([]) == []


# --- what is known ----------------------------------------------------------------------------------------


def known(takers: int | None, model: str | None = None) -> KnownResults:
    return KnownResults(levels(None), Lane.BATCH, model, lambda: takers)


def heartbeat(name: str, recipe: str) -> NodeStatus:
    return NodeStatus(
        node_id=name, state="running", lane="batch", model="m@1", detector="haar", fallback=None, prefetch=1, fps=0,
        busy=0, processed=0, failed=0, since=0, time=0, version="1", recipe=recipe,
    )  # fmt: skip


def test_nothing_is_looked_up_until_all_workers_tell_the_same_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    results = known(2)
    assert results.recipe is None
    results.heard(heartbeat("a", "r"))
    assert results.recipe is None  # the other one may compute otherwise
    results.keep("ab" * 32, result(1.0, node_id="b", recipe="r"), fresh=True)
    assert results.recipe == "r"
    results.heard(heartbeat("b", "s"))
    assert results.recipe is None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + HEARD_SECONDS + 0.1)
    results.heard(heartbeat("b", "r"))
    assert results.recipe == "r"
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert results.recipe is None  # nobody was heard for long
    results.heard(heartbeat("a", "r"))
    assert results.recipe == "r"  # the second consumer is not a worker, or says nothing


def test_a_model_that_is_asked_for_is_known_by_its_results_alone() -> None:
    results = known(1, model="yunet")
    results.heard(heartbeat("a", "r"))
    assert results.recipe is None
    results.keep("ab" * 32, result(1.0, node_id="a", recipe="of-yunet"), fresh=True)
    assert results.recipe == "of-yunet"


def test_what_is_kept_is_found_and_what_makes_no_sense_is_not_kept() -> None:
    async def look() -> None:
        results = known(1)
        box = DetectedObject(x=1, y=1, w=5, h=5, confidence=0.5, label="face")
        results.keep("ab" * 32, result(1.0, node_id="a", recipe="r", detections=[box]), fresh=True)
        outside = DetectedObject(x=1, y=1, w=5000, h=5, confidence=0.5, label="face")
        results.keep("cd" * 32, result(1.0, node_id="a", recipe="r", detections=[outside]), fresh=True)
        results.keep("ef" * 32, result(1.0, node_id="a"), fresh=True)
        found = await results.lookup("ab" * 32)
        assert found is not None
        assert (found.ok, found.cached, json.loads(str(found.detections))[0]["w"]) == (True, True, 5)
        assert await results.lookup("cd" * 32) is None
        assert await results.lookup("ef" * 32) is None
        assert (results.counts.asked, results.counts.hits) == (3, 1)
        await results.close()

    asyncio.run(look())


async def test_a_report_names_pictures_of_videos_that_failed(job: Job) -> None:
    """The video is ok, and it is all that there is: else `failed: 1 crashed` would name nothing."""
    footage = Footage(job)
    numbers = await read(job, footage)
    await ended(job, footage, numbers[:1], FAILED)
    await ended(job, footage, numbers[1:], FOUND)
    report = sum_up("j", job.store, finished=True, retries=0, seconds=1, settled=1, sent_bytes=0, left_out={})
    assert report.reasons == {"crashed": 1}
    ((name, reason),) = report.failures
    assert name.endswith("film.avi frame 0")
    assert reason == "crashed"
