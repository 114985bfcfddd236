"""Jobs of the gateway, with a real broker and a real worker: uploads become results, whatever dies in between."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest

from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg
from tests.helpers.jobs import BROKEN, picture
from tests.helpers.tus import JobsClient
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
    assert f"{job_id[:2]}/{job_id}/originals/{video}" not in kept
    assert f"{job_id[:2]}/{job_id}/originals/{items['face.webp']['number']}" in kept
    # Deleted, nothing is left.
    async with jobs.http.delete(f"/api/jobs/{job_id}") as answer:
        assert answer.status == 204
    async with jobs.http.get(f"/api/jobs/{job_id}") as answer:
        assert answer.status == 404
    assert not (tmp_path / "data/jobs" / job_id).exists()
    assert not list((tmp_path / "data/objects").iterdir())
