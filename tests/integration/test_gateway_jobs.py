"""Jobs of the gateway, with a real broker and a real worker: uploads become results, whatever dies in between."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import psutil
import pytest

from batch.objects.places import object_store
from batch.objects.shelves import COLD, HOT
from batch.objects.store import of_job
from broker.errors import NoSuchQueue
from broker.session import session
from cli.ports import free_port
from contract.jobs import answers_queue
from gateway.errors import JobRefusal
from gateway.jobs.desk import JobDesk
from gateway.jobs.index import UploadRow
from gateway.jobs.runner import AGAIN
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import BROKEN, Command, folder_of, picture
from tests.helpers.s3 import BUCKET, s3_server
from tests.helpers.tus import VERSION, JobsClient
from tests.integration.test_batch import WORKER
from tests.integration.test_batch_videos import film

pytestmark = pytest.mark.integration

FACE = jpeg(astronaut())


@pytest.fixture
async def gateway(rabbitmq: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, amqp_url=rabbitmq, upload_free_mb=1) as running:
        yield running


@pytest.fixture
async def jobs(gateway: Gateway) -> AsyncIterator[JobsClient]:
    async with aiohttp.ClientSession(
        gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as session:
        yield JobsClient(session)


async def test_uploads_become_results(
    rabbitmq: str, tmp_path: Path, start: StartService, gateway: Gateway, jobs: JobsClient
) -> None:
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    job_id = await jobs.create(name="Sunday", every=0)
    assert (await jobs.job(job_id))["state"] == "uploading"
    webp = cv2.imencode(".webp", cv2.resize(astronaut(), (512, 512)))[1].tobytes()
    for name, data in (
        ("photos/face.jpg", FACE),
        ("face.webp", webp),
        ("none.jpg", picture(1)),
        ("broken.jpg", BROKEN),
        ("film.avi", film(tmp_path / "film.avi").read_bytes()),
    ):
        await jobs.upload(job_id, name, data)
    assert await jobs.act(job_id, "complete") == 200
    job = await jobs.ended(job_id)
    assert (job["state"], job["files"], job["videos"], job["failed"]) == ("done", 5, 1, 1)
    assert job["items"] == job["ok"] + job["failed"]
    assert [(each["reason"], each["count"]) for each in job["failures"]] == [("not_an_image", 1)]
    assert job["frames"]["decoded"] == 70
    assert 0 < job["frames"]["computed"] <= 8
    items = {each["name"]: each for each in await jobs.items(job_id)}
    assert {name: (each["state"], each["detections"]) for name, each in items.items()} == {
        "photos/face.jpg": ("ok", 1),
        "face.webp": ("ok", 1),
        "none.jpg": ("ok", 0),
        "broken.jpg": ("failed", 0),
        "film.avi": ("ok", 2),
    }
    assert [each["name"] for each in await jobs.items(job_id, reason="not_an_image")] == ["broken.jpg"]
    assert [each["name"] for each in await jobs.items(job_id, kind="video")] == ["film.avi"]
    assert [each["name"] for each in await jobs.items(job_id, kind="picture", state="failed")] == [
        "broken.jpg"
    ]
    assert await jobs.items(job_id, kind="video", state="failed") == []
    assert await jobs.items(job_id, kind="video", reason="not_an_image") == []
    # What is seen of them.
    async with jobs.http.get(
        f"/api/jobs/{job_id}/items/{items['photos/face.jpg']['number']}/picture"
    ) as answer:
        assert (answer.status, await answer.read()) == (200, FACE)
    video = items["film.avi"]["number"]
    async with jobs.http.get(f"/api/jobs/{job_id}/timeline?item={video}") as answer:
        timeline = await answer.json()
    assert [(each["time"], each["faces"]) for each in timeline["presences"]] == [(2.0, 1), (6.0, 1)]
    assert timeline["seconds"] == pytest.approx(6.9)
    best = timeline["presences"][0]["best_time"]
    assert min(abs(each - best) for each in timeline["pictures"]) < 1.0
    async with jobs.http.get(
        f"/api/jobs/{job_id}/items/{video}/picture", params={"time": best, "boxes": "true", "width": 160}
    ) as answer:
        assert answer.status == 200
        assert 2.0 <= float(answer.headers["X-Picture-Time"]) < 4.0
        drawn = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (160, 160, 3)
    # The files of results.
    async with jobs.http.get(f"/api/jobs/{job_id}/results") as answer:
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert {each["path"] for each in lines} == items.keys()
    async with jobs.http.get(f"/api/jobs/{job_id}/results?format=csv") as answer:
        assert len((await answer.text()).splitlines()) == 6
    async with jobs.http.get(f"/api/jobs/{job_id}/results?format=coco") as answer:
        assert len((await answer.json(content_type=None))["videos"]) == 1
    # An original video is not kept, and of the folder of the job only the books are.
    left = sorted(each.name for each in (tmp_path / "data/jobs" / job_id).iterdir())
    assert [name for name in left if not name.startswith("items.sqlite3")] == ["lock"]
    kept = {
        str(each.relative_to(tmp_path / "data/objects")) for each in (tmp_path / "data/objects").rglob("*")
    }
    assert f"{HOT}{of_job(job_id)}originals/{video}" not in kept
    assert f"{HOT}{of_job(job_id)}originals/{items['face.webp']['number']}" in kept
    # Deleted, nothing is left.
    async with jobs.http.delete(f"/api/jobs/{job_id}") as answer:
        assert answer.status == 204
    async with jobs.http.get(f"/api/jobs/{job_id}") as answer:
        assert answer.status == 404
    assert not (tmp_path / "data/jobs" / job_id).exists()
    assert not list((tmp_path / "data/objects").iterdir())


async def test_a_video_is_analysed_while_it_is_still_sent(
    rabbitmq: str, tmp_path: Path, start: StartService, jobs: JobsClient
) -> None:
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    job_id = await jobs.create(every=0)
    data = film(tmp_path / "film.mkv").read_bytes()
    place = await jobs.begin(job_id, "film.mkv", len(data))
    go_on = asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        at = len(data) * 4 // 5
        yield data[:at]
        while not go_on.is_set():  # slowly, and without an end
            at += 1
            yield data[at - 1 : at]
            await asyncio.sleep(0.2)
        yield data[at:]

    sending = asyncio.create_task(jobs.write(place, 0, held()))
    try:

        async def seen() -> bool:
            items = await jobs.items(job_id)
            if not items:
                return False
            async with jobs.http.get(f"/api/jobs/{job_id}/timeline?item={items[0]['number']}") as answer:
                timeline = await answer.json()
            return bool(timeline["presences"]) and bool(timeline["pictures"])

        await eventually_async("a face is told before the upload ends", seen, 60.0)

        async def counted() -> bool:  # a moment later than it is told
            return bool((await jobs.job(job_id))["frames"]["computed"] > 0)

        await eventually_async("its frames are counted before the upload ends", counted)
        job = await jobs.job(job_id)
        assert job["state"] == "uploading"
        assert job["uploads"][0]["offset"] < len(data)
    finally:
        go_on.set()
    assert (await sending)[0] == 204
    assert await jobs.act(job_id, "complete") == 200
    job = await jobs.ended(job_id)
    assert (job["state"], job["failed"], job["frames"]["decoded"]) == ("done", 0, 70)


async def test_an_mp4_with_its_index_at_its_end_says_that_it_waits(jobs: JobsClient, tmp_path: Path) -> None:
    job_id = await jobs.create()
    data = film(tmp_path / "film.mp4").read_bytes()
    place = await jobs.begin(job_id, "film.mp4", len(data))
    assert (await jobs.write(place, 0, data[: len(data) - 1000]))[0] == 204
    (upload,) = (await jobs.job(job_id))["uploads"]
    assert "its index is at its end" in upload["note"]
    assert await jobs.items(job_id) == []
    assert (await jobs.write(place, len(data) - 1000, data[-1000:]))[0] == 204


async def test_a_wrong_wish_for_a_job_says_what_is_wrong_and_what_is_possible(jobs: JobsClient) -> None:
    for body, words in (
        ('{"speed": 1}', "`speed`"),
        ('{"lane": "gpus"}', "'gpus' - at `$.lane`"),
        ('{"every": -1}', "`$.every`"),
        ('{"name": 5}', "`$.name`"),
        ("{", "truncated"),
    ):
        async with jobs.http.post("/api/jobs", data=body) as answer:
            assert answer.status == 400
            detail = (await answer.json())["error"]
        assert words in detail
        assert "send a JSON object" in detail


async def test_killed_with_its_job_the_gateway_goes_on_with_exact_books(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    """kill -9 of the gateway, then of the job's own process: each item is settled once, and none is lost."""
    worker = start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    port = str(free_port())
    settings = {
        "AMQP_URL": rabbitmq,
        "GATEWAY_PORT": port,
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_DATA_DIR": str(tmp_path / "data"),
        "GATEWAY_CANARY_SECONDS": "0",
        "GATEWAY_UPLOAD_FREE_MB": "1",
    }
    first = start("gateway", **settings).ready(60.0)
    count = 150
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
        jobs = JobsClient(http)
        job_id = await jobs.create()
        for number in range(count):
            await jobs.upload(job_id, f"{number}.jpg", BROKEN if number % 30 == 29 else picture(number))
        assert await jobs.act(job_id, "complete") == 200

        async def some() -> bool:
            return bool((await jobs.job(job_id))["ok"] >= 10)

        await eventually_async("some are computed", some, 60.0)
    children = psutil.Process(first.process.pid).children(recursive=True)
    first.kill()
    start("gateway", **settings).ready(60.0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
        jobs = JobsClient(http)
        gone, _ = await asyncio.to_thread(psutil.wait_procs, children, 20)
        assert len(gone) == len(children)  # none outlives its gateway
        job = await jobs.ended(job_id, 120.0)
        assert (job["state"], job["ok"], job["failed"], job["items"]) == ("done", count - 5, 5, count)
        async with jobs.http.get(f"/api/jobs/{job_id}/results") as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert sorted(each["path"] for each in lines) == sorted(f"{number}.jpg" for number in range(count))
    assert worker.metric("framefleet_job_item_seconds_count") <= count + 20  # what was under way, at most


async def test_a_job_is_paused_goes_on_survives_its_process_and_is_cancelled(
    rabbitmq: str, tmp_path: Path, start: StartService, gateway: Gateway, jobs: JobsClient
) -> None:
    job_id = await jobs.create()
    for number in range(20):
        await jobs.upload(job_id, f"{number}.jpg", picture(number))
    assert await jobs.act(job_id, "complete") == 200

    def process() -> int | None:
        return gateway.jobs.runner.pid(job_id)

    await aeventually("it runs", process)
    # Nobody works on the lane: it says so, and is paused with all that waits.

    async def told() -> bool:
        return "nobody works on the lane" in ((await jobs.job(job_id))["note"] or "")

    await eventually_async("it says what it waits for", told, 30.0)
    assert await jobs.act(job_id, "pause") == 200
    await aeventually("it has ended", lambda: process() is None, 30.0)
    job = await jobs.job(job_id)
    assert (job["state"], job["items"], job["ok"]) == ("paused", 20, 0)
    assert await jobs.act(job_id, "pause") == 409
    assert await jobs.act(job_id, "resume") == 200
    killed = await aeventually("it runs again", process)
    assert killed is not None
    psutil.Process(killed).kill()
    said = set()

    def goes_on() -> bool:
        said.add(gateway.jobs.runner.waits(job_id))
        return process() not in (None, killed)

    await aeventually("another process goes on", goes_on, 30.0)
    assert said <= {None, AGAIN}
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    job = await jobs.ended(job_id)
    assert (job["state"], job["ok"], job["items"]) == ("done", 20, 20)
    assert await jobs.act(job_id, "cancel") == 409
    # Another one is cancelled in its midst: what was computed stays, and nothing of it is left at the broker.
    other = await jobs.create()
    await jobs.upload(other, "face.jpg", FACE)

    async def computed() -> bool:
        return bool((await jobs.job(other))["ok"] == 1)

    await eventually_async("it is computed before it is complete", computed, 60.0)
    assert await jobs.act(other, "cancel") == 200
    await aeventually("it has ended", lambda: gateway.jobs.runner.pid(other) is None, 30.0)
    assert (await jobs.job(other))["state"] == "cancelled"
    assert [each["detections"] for each in await jobs.items(other)] == [1]
    async with jobs.http.get(f"/api/jobs/{other}/items/1/picture") as answer:
        assert await answer.read() == FACE
    async with session([rabbitmq], "test") as opened, opened.channel() as channel:
        with pytest.raises(NoSuchQueue):
            await channel.count(answers_queue(other).name)


async def test_a_job_of_the_command_line_is_heard(
    rabbitmq: str, tmp_path: Path, start: StartService, jobs: JobsClient
) -> None:
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    own = await jobs.create()
    await jobs.upload(own, "face.jpg", FACE)

    async def clients() -> list[dict[str, Any]]:
        async with jobs.http.get("/api/jobs/clients") as answer:
            assert answer.status == 200
            found: list[dict[str, Any]] = (await answer.json())["items"]
            return found

    async def computed() -> bool:
        return bool((await jobs.job(own))["ok"] == 1)

    await eventually_async("the gateway's own job is computed", computed, 60.0)
    assert await clients() == []  # and is no client's
    folder_of(tmp_path / "in", 200, broken_every=50)
    command = Command(rabbitmq, tmp_path / "jobs", tmp_path / "in", "--job", "mine")
    assert await asyncio.to_thread(command.wait) == 1, command.said

    async def over() -> bool:
        return [each["state"] for each in await clients()] == ["done"]

    await eventually_async("its last word is heard", over)
    (told,) = await clients()
    assert (told["job_id"], told["host"], told["items"], told["listed"]) == (
        "mine",
        socket.gethostname(),
        200,
        True,
    )
    assert (told["ok"], told["failed"], told["rate"], told["eta_seconds"]) == (196, 4, 0.0, None)
    assert told["failures"] == [{"reason": "not_an_image", "count": 4}]
    assert abs(time.time() - told["heard"]) < 60.0


async def test_originals_and_results_are_kept_in_s3(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready()
    key = tmp_path / "key"
    key.write_text("access:secret")
    with s3_server(tmp_path / "moto.log") as address:
        settings: dict[str, Any] = {
            "amqp_url": rabbitmq,
            "upload_free_mb": 1,
            "storage_url": f"s3://{BUCKET}/jobs?endpoint={address}",
            "storage_key_file": key,
        }
        async with (
            running_gateway(tmp_path, **settings) as gateway,
            aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        ):
            jobs = JobsClient(http)
            job_id = await jobs.create()
            await jobs.upload(job_id, "face.jpg", FACE)
            assert await jobs.act(job_id, "complete") == 200
            job = await jobs.ended(job_id)
            assert job["state"] == "done", job["note"]
            objects = object_store(settings["storage_url"], key)
            names = await asyncio.to_thread(objects.names, of_job(job_id))
            assert names == [f"{of_job(job_id)}originals/1", f"{of_job(job_id)}results.ndjson"]
            await gateway.jobs.tidy(time.time() + 6 * 86_400)
            hot = [HOT + name for name in names]
            assert await asyncio.to_thread(objects._store.names, "") == hot
            await gateway.jobs.tidy(time.time() + 8 * 86_400)
            assert await asyncio.to_thread(objects._store.names, "") == [COLD + name for name in names]
            async with http.get(f"/api/jobs/{job_id}/items/1/picture") as answer:
                assert await answer.read() == FACE
            async with http.delete(f"/api/jobs/{job_id}") as answer:
                assert answer.status == 204
            assert await asyncio.to_thread(objects.names, of_job(job_id)) == []


async def test_a_video_whose_upload_is_cancelled_in_its_midst_is_withdrawn(
    rabbitmq: str, tmp_path: Path, start: StartService, jobs: JobsClient
) -> None:
    start("worker", AMQP_URL=rabbitmq, **WORKER).ready(60.0)
    job_id = await jobs.create(every=0)
    data = film(tmp_path / "film.mkv").read_bytes()
    place = await jobs.begin(job_id, "film.mkv", len(data))
    assert (await jobs.write(place, 0, data[: len(data) // 2]))[0] == 204

    async def states() -> list[str]:
        return [each["state"] for each in await jobs.items(job_id)]

    async def known() -> bool:
        return await states() == ["waiting"]

    await eventually_async("it is read before all of it is there", known, 60.0)
    async with jobs.http.delete(place, headers=VERSION) as answer:
        assert answer.status == 204
    assert await jobs.act(job_id, "complete") == 200
    job = await jobs.ended(job_id)
    assert job["state"] == "done"
    assert [each["reason"] for each in job["failures"]] == ["withdrawn"]
    assert "cancelled" in (await jobs.items(job_id))[0]["error"]


async def test_without_its_folder_the_gateway_says_so_and_takes_jobs_when_there_is_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    async with (
        running_gateway(tmp_path, upload_free_mb=1) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs"), ("GET", "/api/jobs/0123456789ab")):
            async with http.request(method, path, json={} if method == "POST" else None) as answer:
                assert answer.status == 503, path
                assert "may the gateway write there?" in (await answer.json())["error"]
        (tmp_path / "data").unlink()  # somebody mends it

        async def taken() -> bool:
            async with http.post("/api/jobs", json={}) as answer:
                return answer.status == 201

        await eventually_async("jobs are taken", taken)


async def test_a_list_that_fails_after_a_deed_is_told_and_not_an_error(
    jobs: JobsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_desk: JobDesk, _job_id: str) -> list[tuple[UploadRow, int]]:
        raise JobRefusal(503, "the list of jobs cannot be used (disk I/O error)")

    monkeypatch.setattr(JobDesk, "receiving", fails)
    async with jobs.http.post("/api/jobs", json={}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "disk I/O error" in (await answer.json())["error"]


async def test_an_id_of_another_form_is_told_without_a_pattern(jobs: JobsClient) -> None:
    """A person reads it, who mistyped an address."""
    async with jobs.http.get("/api/jobs/zzz") as answer:
        assert answer.status == 422
        assert (await answer.json())["error"] == "job_id: 'zzz' is not of its form"
