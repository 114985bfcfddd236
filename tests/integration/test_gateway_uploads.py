"""Uploads by tus 1.0 at a real gateway, without a broker: what is taken, what is refused, what a cut leaves."""

import asyncio
import base64
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from batch.objects.folder import FolderObjects
from batch.objects.store import of_job
from batch.uploads.messages import JobFigures
from gateway.service import Gateway
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import picture
from tests.helpers.tus import PIECES, VERSION, JobsClient
from tests.integration.test_gateway_tokens import new_token

pytestmark = pytest.mark.integration

FACE = jpeg(astronaut())
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    limits = {"upload_mb": 1, "uploads_mb": 2, "job_files": 6, "upload_free_mb": 1}
    async with running_gateway(tmp_path, request_seconds=1.0, **limits) as running:
        yield running


@pytest.fixture
async def jobs(gateway: Gateway) -> AsyncIterator[JobsClient]:
    async with aiohttp.ClientSession(gateway.address, headers=OPERATOR) as session:
        yield JobsClient(session)


def inputs(tmp_path: Path, job_id: str) -> dict[str, int]:
    folder = tmp_path / "data/jobs" / job_id / "in"
    return {
        str(each.relative_to(folder)): each.stat().st_size for each in folder.rglob("*") if each.is_file()
    }


async def test_an_upload_that_was_cut_off_goes_on_where_it_stopped(jobs: JobsClient, tmp_path: Path) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "face.jpg", len(FACE))

    async def half() -> AsyncIterator[bytes]:
        yield FACE[:20_000]
        # What the server has not read yet when it is cut off, is lost with the connection.
        await asyncio.sleep(0.5)
        yield FACE[20_000:30_000]
        await eventually_async("what came is kept", kept)
        raise ConnectionResetError

    async def kept() -> bool:
        return await jobs.offset(place) == 30_000

    with pytest.raises(aiohttp.ClientError):
        await jobs.write(place, 0, half())

    assert await kept()
    (upload,) = (await jobs.job(job_id))["uploads"]
    assert (upload["name"], upload["offset"], upload["size"]) == ("face.jpg", 30_000, len(FACE))
    status, said = await jobs.write(place, 0, FACE)
    assert status == 409
    assert "30000" in said
    assert (await jobs.write(place, 30_000, FACE[30_000:]))[0] == 204
    assert inputs(tmp_path, job_id) == {"face.jpg": len(FACE)}
    job = await jobs.job(job_id)
    assert (job["files"], job["bytes"], job["uploads"]) == (1, len(FACE), [])
    assert (await jobs.write(place, len(FACE), b"x"))[0] == 413


async def test_what_was_sent_is_listed_whoever_sent_it(jobs: JobsClient) -> None:
    job_id = await jobs.create()
    for name in ("a/1.jpg", "a/2.jpg"):
        assert (await jobs.write(await jobs.begin(job_id, name, len(FACE)), 0, FACE))[0] == 204
    assert (await jobs.write(await jobs.begin(job_id, "3.jpg", len(FACE)), 0, FACE[:100]))[0] == 204
    listed, cursor, pages = [], "", 0
    while cursor is not None:
        async with jobs.http.get(f"/api/jobs/{job_id}/uploads?limit=2&cursor={cursor}") as answer:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
        listed += [(each["name"], each["offset"], each["size"], each["state"]) for each in page["uploads"]]
        cursor, pages = page["next"], pages + 1
    size = len(FACE)
    assert pages == 2
    assert listed == [
        ("a/1.jpg", size, size, "complete"),
        ("a/2.jpg", size, size, "complete"),
        ("3.jpg", 100, size, "receiving"),
    ]
    async with jobs.http.get("/api/jobs/000000000000/uploads") as answer:
        assert answer.status == 404


async def test_a_slow_upload_has_the_time_that_it_goes_on(jobs: JobsClient) -> None:
    """Three times as long as a request may take, but never silent for so long."""
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "face.jpg", len(FACE))

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(FACE), len(FACE) // 8 + 1):
            yield FACE[start : start + len(FACE) // 8 + 1]
            await asyncio.sleep(0.4)

    assert (await jobs.write(place, 0, slowly()))[0] == 204
    assert await jobs.offset(place) == len(FACE)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "10"}, 412),
        ({**VERSION, "Tus-Resumable": "0.2.2", "Upload-Length": "10"}, 412),
        (VERSION, 400),
        ({**VERSION, "Upload-Length": "-1"}, 400),
        ({**VERSION, "Upload-Length": "ten"}, 400),
        ({**VERSION, "Upload-Length": "9" * 17}, 400),
        ({**VERSION, "Upload-Length": "0"}, 415),
        ({**VERSION, "Upload-Length": "1000001"}, 413),
        ({**VERSION, "Upload-Length": "10", "Upload-Metadata": "filename ###"}, 400),
    ],
)
async def test_what_cannot_be_begun(jobs: JobsClient, headers: dict[str, str], status: int) -> None:
    job_id = await jobs.create()
    async with jobs.http.post(f"/api/jobs/{job_id}/uploads", headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]
        assert answer.headers["Tus-Resumable"] == "1.0.0"


async def test_what_is_no_piece_of_an_upload(jobs: JobsClient) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "a.jpg", 100)
    right = {**VERSION, **PIECES, "Upload-Offset": "0"}
    for headers, data, status in (
        ({**right, "Tus-Resumable": "2"}, b"x", 412),
        ({**right, "Content-Type": "text/plain"}, b"x", 415),
        ({**right, "Upload-Offset": "x"}, b"x", 400),
        ({**right, "Upload-Offset": "7"}, b"x", 409),
        (right, b"x" * 101, 413),
    ):
        async with jobs.http.patch(place, data=data, headers=headers) as answer:
            assert answer.status == status, await answer.text()
    async with jobs.http.patch(place[:-1] + "x", data=b"x", headers=right) as answer:
        assert answer.status == 422
    async with jobs.http.patch(place[:-32] + "0" * 32, data=b"x", headers=right) as answer:
        assert answer.status == 404
    assert await jobs.offset(place) == 0


async def test_a_kind_that_is_not_taken_is_refused_at_its_first_bytes(
    jobs: JobsClient, tmp_path: Path
) -> None:
    job_id = await jobs.create()
    for data, said in ((b"%PDF-1.7 " + b"x" * 9_000, "PDF"), (b"plain text", "it is text")):
        place = await jobs.begin(job_id, "photo.jpg", len(data))
        status, sentence = await jobs.write(place, 0, data)
        assert status == 415
        assert said in sentence
        assert "JPEG" in sentence
    assert inputs(tmp_path, job_id) == {}
    assert (await jobs.job(job_id))["uploads"] == []


async def test_names_lead_nowhere_and_are_told_apart(jobs: JobsClient, tmp_path: Path) -> None:
    job_id = await jobs.create()
    for name in ("../../etc/passwd.jpg", "a\nb.jpg", "a.jpg", "a.jpg", "/"):
        await jobs.upload(job_id, name, picture(1))
    # No UTF-8 at all.
    encoded = base64.b64encode(b"\xff\xfe.jpg").decode()
    headers = {**VERSION, "Upload-Length": "10", "Upload-Metadata": f"filename {encoded},x,y "}
    async with jobs.http.post(f"/api/jobs/{job_id}/uploads", headers=headers) as answer:
        assert answer.status == 201
    assert inputs(tmp_path, job_id).keys() == {
        "etc/passwd.jpg", "a\ufffdb.jpg", "a.jpg", "a (2).jpg", "unnamed", "\ufffd\ufffd.jpg",
    }  # fmt: skip
    # And that is as many as this job takes.
    async with jobs.http.post(f"/api/jobs/{job_id}/uploads", headers=headers) as answer:
        assert answer.status == 409
        assert "GATEWAY_JOB_FILES" in await answer.text()


async def test_a_name_that_is_a_folder_already_gets_another(jobs: JobsClient, tmp_path: Path) -> None:
    job_id = await jobs.create()
    await jobs.upload(job_id, "a/b.jpg", picture(1))
    await jobs.upload(job_id, "a", picture(2))
    assert len(inputs(tmp_path, job_id)) == 2


async def test_there_is_an_end_to_what_is_taken(jobs: JobsClient) -> None:
    job_id = await jobs.create()
    for number in range(2):
        await jobs.begin(job_id, f"{number}.jpg", 900_000)
    headers = {**VERSION, "Upload-Length": "900000"}
    async with jobs.http.post(f"/api/jobs/{job_id}/uploads", headers=headers) as answer:
        assert answer.status == 507
        assert "GATEWAY_UPLOADS_MB" in await answer.text()
    async with jobs.http.delete(f"/api/jobs/{job_id}") as answer:
        assert answer.status == 204
    await jobs.begin(await jobs.create(), "a.jpg", 900_000)


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, upload_free_mb=10**9) as gateway,
        aiohttp.ClientSession(gateway.address, headers=OPERATOR) as session,
    ):
        jobs = JobsClient(session)
        headers = {**VERSION, "Upload-Length": "10"}
        async with session.post(f"/api/jobs/{await jobs.create()}/uploads", headers=headers) as answer:
            assert answer.status == 507
            assert "GATEWAY_UPLOAD_FREE_MB" in await answer.text()


async def test_two_cannot_write_one_upload(jobs: JobsClient) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "face.jpg", len(FACE))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        yield FACE[:1_000]
        begun.set()
        await go_on.wait()
        yield FACE[1_000:]

    first = asyncio.create_task(jobs.write(place, 0, held()))
    await begun.wait()
    await eventually_async("the second is kept out", lambda: _status(jobs, place, 423))
    go_on.set()
    assert (await first)[0] == 204


async def _status(jobs: JobsClient, place: str, wanted: int) -> bool:
    return (await jobs.write(place, 5, b"x"))[0] == wanted


async def test_an_upload_can_be_cancelled(jobs: JobsClient, tmp_path: Path) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "face.jpg", len(FACE))
    await jobs.write(place, 0, FACE[:5_000])
    assert await jobs.act(job_id, "complete") == 409  # it is under way
    async with jobs.http.delete(place, headers=VERSION) as answer:
        assert answer.status == 204
    async with jobs.http.head(place, headers=VERSION) as answer:
        assert answer.status == 404
    assert inputs(tmp_path, job_id) == {}


async def test_a_job_that_is_deleted_while_it_is_moved_leaves_nothing(
    gateway: Gateway, jobs: JobsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await jobs.create()
    desk = gateway.jobs
    await desk.ask(desk._index.wrap, job_id, "done", JobFigures(), 0)
    objects = tmp_path / "data/objects"
    for number in range(100):
        desk._store().put(f"{of_job(job_id)}originals/{number}", _file(tmp_path, b"x"))
    moved, wanted = threading.Event(), threading.Event()
    really = FolderObjects.move

    def slowly(self: FolderObjects, name: str, to: str) -> None:
        really(self, name, to)
        moved.set()
        assert wanted.wait(20.0)

    monkeypatch.setattr(FolderObjects, "move", slowly)
    cooling = asyncio.create_task(desk.tidy(time.time() + 8 * 86_400))
    assert await asyncio.to_thread(moved.wait, 20.0)
    deleting = asyncio.create_task(desk.delete(job_id))
    await aeventually("it waits for the one that is being moved", lambda: desk._deleting == {job_id}, 20.0)
    assert len(list(objects.rglob("*/originals/*"))) == 100
    wanted.set()
    await asyncio.gather(cooling, deleting)
    assert [each for each in objects.rglob("*") if each.is_file()] == []
    assert await desk.ask(desk._index.job, job_id) is None


def _file(tmp_path: Path, data: bytes) -> Path:
    file = tmp_path / "file"
    file.write_bytes(data)
    return file


async def test_what_nobody_goes_on_with_is_removed(
    gateway: Gateway, jobs: JobsClient, tmp_path: Path
) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "face.jpg", len(FACE))
    await jobs.write(place, 0, FACE[:5_000])
    file = tmp_path / "data/jobs" / job_id / "in/face.jpg"
    now = time.time()
    await gateway.jobs.tidy(now + 3_500)
    assert file.exists()
    os.utime(file, (now + 200, now + 200))  # it has grown since
    await gateway.jobs.tidy(now + 3_700)
    assert file.exists()
    assert (await jobs.job(job_id))["complete"] is False
    await gateway.jobs.tidy(now + 3_900)  # and nothing else came meanwhile
    assert not file.exists()
    assert (await jobs.job(job_id))["complete"] is True


async def test_a_gateway_that_comes_back_goes_on_and_leaves_nothing(tmp_path: Path) -> None:
    settings = {"upload_free_mb": 1}
    async with (
        running_gateway(tmp_path, **settings) as gateway,
        aiohttp.ClientSession(gateway.address, headers=OPERATOR) as session,
    ):
        jobs = JobsClient(session)
        job_id = await jobs.create()
        place = await jobs.begin(job_id, "face.jpg", len(FACE))
        await jobs.write(place, 0, FACE[:5_000])
    orphan = tmp_path / "data/jobs/0123456789ab/in/a.jpg"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(FACE)
    # All of it came, and the gateway died before it could note that.
    (tmp_path / "data/jobs" / job_id / "in/face.jpg").write_bytes(FACE)
    async with (
        running_gateway(tmp_path, **settings) as gateway,
        aiohttp.ClientSession(gateway.address, headers=OPERATOR) as session,
    ):
        assert not orphan.exists()
        assert await JobsClient(session).offset(place) == len(FACE)
        assert (await JobsClient(session).job(job_id))["files"] == 1


async def test_a_viewer_sees_and_does_not_act(gateway: Gateway, jobs: JobsClient) -> None:
    job_id = await jobs.create()
    place = await jobs.begin(job_id, "a.jpg", 100)
    token = new_token(gateway, "wall")
    async with aiohttp.ClientSession(
        gateway.address, headers={"Authorization": f"Bearer {token}"}
    ) as session:
        viewer = JobsClient(session)
        assert (await viewer.job(job_id))["by"] == "main"
        assert await viewer.offset(place) == 0
        assert await viewer.items(job_id) == []
        assert (await viewer.write(place, 0, b"x"))[0] == 403
        for deed in ("pause", "resume", "cancel", "complete", "uploads"):
            assert await viewer.act(job_id, deed) == 403
        for method, path in (("POST", "/api/jobs"), ("DELETE", f"/api/jobs/{job_id}"), ("DELETE", place)):
            async with session.request(method, path) as answer:
                assert answer.status == 403


async def test_ten_thousand_jobs_are_listed_fast(gateway: Gateway, jobs: JobsClient) -> None:
    first = await jobs.create(name="first")

    def enter() -> None:
        index = gateway.jobs._index
        index._db.execute("BEGIN")
        for number in range(10_000):
            index.add_job(f"{number:012x}", f"job {number}", {"every": 1, "windows": "fixed", "skip": True,
                "lane": "batch", "video": {}}, "main")  # fmt: skip
        index._db.execute("COMMIT")

    await gateway.jobs.ask(enter)
    last = await jobs.create(name="last")
    began, cursor, seen = time.monotonic(), "", list[str]()
    while True:
        async with jobs.http.get("/api/jobs", params={"limit": 500, "cursor": cursor}) as answer:
            page = await answer.json()
        seen += [job["job_id"] for job in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert (seen[0], seen[-1], len(seen), len(set(seen))) == (last, first, 10_002, 10_002)
    assert time.monotonic() - began < 20.0  # all of them; a page takes a twentieth
    async with jobs.http.get("/api/jobs?state=done") as answer:
        assert await answer.json() == {"items": [], "next": None}
    async with jobs.http.get("/api/jobs?stat=done") as answer:
        assert answer.status == 422


@pytest.mark.parametrize(
    "body", ["", "[]", '{"name": ""}', '{"naem": "x"}', '{"every": -1}', '{"lane": "live"}']
)
async def test_what_is_no_job(jobs: JobsClient, body: str) -> None:
    async with jobs.http.post("/api/jobs", data=body) as answer:
        assert answer.status == 400
        assert "name" in (await answer.json())["error"]


async def test_the_protocol_says_what_it_is(jobs: JobsClient) -> None:
    job_id = await jobs.create()
    async with jobs.http.options(f"/api/jobs/{job_id}/uploads") as answer:
        assert (answer.status, answer.headers["Tus-Version"]) == (204, "1.0.0")
        assert answer.headers["Tus-Extension"] == "creation,termination,expiration"
        assert answer.headers["Tus-Max-Size"] == "1000000"
