"""Many HTTP cameras at one host: who may ask when."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from producer.sources.http import places
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from tests.helpers.eventually import aeventually
from tests.helpers.frames import data, failure, read
from tests.helpers.http_camera import HttpCamera, http_camera
from tests.helpers.media import jpeg


@pytest.fixture
async def camera() -> AsyncIterator[HttpCamera]:
    async with http_camera() as camera:
        yield camera


async def test_no_more_requests_at_a_host_than_allowed(camera: HttpCamera) -> None:
    async with HttpClient(per_host=4) as client:
        sources = [Snapshot(f"{camera.url}/waits", client) for _ in range(12)]
        asking = [asyncio.create_task(read(source, 1)) for source in sources]
        await aeventually("four requests", lambda: camera.unfinished["/waits"] == 4)
        camera.go_on.set()
        assert [data(frame) for (frame,) in await asyncio.gather(*asking)] == [jpeg(1)] * 12
    assert camera.most["/waits"] == 4


async def test_who_waits_for_a_place_is_not_late(camera: HttpCamera) -> None:
    async with HttpClient(per_host=1) as client:
        # 0.15 s each, one after the other.
        sources = [Snapshot(f"{camera.url}/slow", client, seconds=1.0) for _ in range(12)]
        answers = await asyncio.gather(*(read(source, 1) for source in sources))
    assert [data(frame) for (frame,) in answers] == [jpeg(1)] * 12


async def test_who_gets_no_place_says_so(camera: HttpCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PATIENCE", 0.1)
    async with HttpClient(per_host=1) as client:
        first = asyncio.create_task(read(Snapshot(f"{camera.url}/waits", client), 1))
        await aeventually("the request", lambda: camera.requests)
        said = await failure(Snapshot(f"{camera.url}/plain", client))
        assert said.reason == "busy"
        assert "PRODUCER_HTTP_CONNECTIONS_PER_HOST" in str(said)
        camera.go_on.set()
        await first


async def test_dead_channels_of_a_recorder_leave_half_of_its_places_to_the_living(
    camera: HttpCamera,
) -> None:
    async with HttpClient(per_host=4) as client:
        dead = [Snapshot(f"{camera.url}/silent", client, fps=100, seconds=3.0) for _ in range(4)]
        assert [said.reason for said in await asyncio.gather(*map(failure, dead))] == ["timeout"] * 4
        await aeventually("they are given up", lambda: not camera.unfinished["/silent"])
        asking = [asyncio.create_task(read(source, 1)) for source in dead]
        await aeventually("the dead are asked again", lambda: camera.unfinished["/silent"] == 2)
        seen = await asyncio.wait_for(read(Snapshot(f"{camera.url}/plain", client, fps=50), 20), 10)
        assert [data(item) for item in seen] == [jpeg(1)] * 20
        assert camera.unfinished["/silent"] == 2
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
