"""Three kinds of servers, each with what it does otherwise: detections come of it, or a reason that says what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters, results
from tests.helpers.eventually import aeventually
from tests.helpers.images import encoded
from tests.helpers.vision_kinds import FAILS, HOLDS, SEES, WAITS, Answers, vllm_one_picture
from tests.helpers.vision_server import BOX, VisionServer, vision_server
from tests.integration.test_worker_remote import bodies, fill, remote
from worker.remote.caller import Caller, OutgoingPicture
from worker.remote.errors import Answered, EndpointRefuses, PictureRefused, Throttled
from worker.remote.metrics import RemoteMetrics
from worker.remote.parts import make_parts
from worker.remote.picture import prepare
from worker.remote.prices import Prices
from worker.settings import WorkerSettings

pytestmark = pytest.mark.integration


@asynccontextmanager
async def caller(server: VisionServer, folder: Path) -> AsyncIterator[Caller]:
    settings = WorkerSettings(
        node_id="r-1", remote_url=server.url, remote_model="seer", remote_folder=folder, remote_timeout=5.0
    )
    metrics = RemoteMetrics("r-1", CollectorRegistry())
    async with make_parts(settings, metrics, asyncio.sleep, None, Prices()) as parts:
        yield parts.caller


async def ask(kind: Answers, folder: Path, number: int = 1) -> tuple[Any, VisionServer]:
    """The answer to a request with so many pictures, of a server of that kind."""
    jpeg = encoded(np.full((120, 160, 3), 90, np.uint8), ".jpg")
    prepared = prepare(jpeg, longest=1280, most_bytes=10**7, max_pixels=10**7)
    pictures = [OutgoingPicture("c", f"f-{each}", prepared) for each in range(number)]
    with vision_server(latency=0.0) as server:
        server.kind = kind
        async with caller(server, folder) as here:
            return await here.call(pictures, "seer"), server


@pytest.mark.parametrize("name", SEES)
async def test_what_a_server_puts_around_it_is_no_matter(name: str, tmp_path: Path) -> None:
    answer, server = await ask(SEES[name], tmp_path, 2)
    assert len(answer.seen) == 2
    for seen in answer.seen:
        assert seen.found.boxes.tolist() == [[BOX[0], BOX[1], BOX[2] - BOX[0], BOX[3] - BOX[1]]]
        assert seen.description.startswith("picture ")
    assert len(server.calls) <= 2  # one more where it refused the form


@pytest.mark.parametrize("name", HOLDS)
async def test_what_is_wrong_with_every_picture_holds_the_lane(name: str, tmp_path: Path) -> None:
    kind, words = HOLDS[name]
    with pytest.raises(EndpointRefuses) as error:
        await ask(kind, tmp_path)
    assert words in str(error.value)


@pytest.mark.parametrize("name", FAILS)
async def test_what_is_wrong_with_a_picture_says_what_to_do(name: str, tmp_path: Path) -> None:
    kind, words = FAILS[name]
    with pytest.raises((PictureRefused, Answered)) as error:
        await ask(kind, tmp_path)
    assert words in str(error.value)


@pytest.mark.parametrize("name", WAITS)
async def test_a_busy_server_is_asked_again(name: str, tmp_path: Path) -> None:
    with pytest.raises(Throttled):
        await ask(WAITS[name], tmp_path)


async def test_a_server_that_takes_one_picture_at_a_time(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server() as server:
        server.kind = vllm_one_picture
        environment = remote(
            rabbitmq, server, tmp_path, WORKER_REMOTE_IMAGES="4", WORKER_REMOTE_CONCURRENCY="1"
        )
        worker = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 12)
            await aeventually("all", lambda: len(got.deliveries) == 12, 30)
        assert {result["frame_id"] for result in bodies(got.deliveries)} == names
        assert sum(len(call.pictures) > 1 for call in server.calls) == 1  # it is learnt
        assert not dead.deliveries
        assert worker.stop() == 0
        assert "WORKER_REMOTE_IMAGES" in worker.log.read_text()


async def test_a_server_that_loads_its_model_costs_no_frame(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server() as server:
        server.kind, _ = HOLDS["llama.cpp, loading"]
        worker = start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 3)
            held = 'cv_remote_held{by="refused",node_id="r-1"}'
            await aeventually("held", lambda: worker.metric(held) == 1, 20)
            await aeventually("told", lambda: "still loads its model" in worker.get("/readyz")[1])
            assert not dead.deliveries
            assert not got.deliveries
        assert worker.stop() == 0
