"""The cascade with a real gateway, RabbitMQ, local worker, remote worker, and an endpoint that speaks HTTP."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from broker import Outcome
from contract.topology import Lane
from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, encoded, jpeg, task
from tests.helpers.vision_server import vision_server
from tests.integration.test_worker_remote import remote

pytestmark = pytest.mark.integration

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def test_an_event_is_found_here_and_described_there_once(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    dead = dead_letters()
    with vision_server(price=(10.0, 50.0)) as server:
        async with (
            running_gateway(
                tmp_path / "gateway",
                amqp_url=rabbitmq,
                history_gap_seconds=4.0,
                remote_rules="event,low-confidence",
                remote_cameras="c-*",
            ) as gateway,
            aiohttp.ClientSession(gateway.address, headers=BEARER) as http,
            bus(rabbitmq, dead) as b,
        ):
            start("worker", AMQP_URL=rabbitmq, NODE_ID="local").ready()
            sent = 0

            async def see(seconds: float, quality: int) -> None:
                nonlocal sent
                face = jpeg(astronaut(), quality)  # the same bytes would be known
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    for camera_id in ("c-1", "private"):
                        frame_id = f"{camera_id}:{sent}"
                        body = task(face, timestamp=time.time(), camera_id=camera_id, frame_id=frame_id)
                        assert await b.task(body, Lane.LIVE.queue) is Outcome.CONFIRMED
                    sent += 1
                    await asyncio.sleep(0.5)

            async def events() -> list[Any]:
                async with http.get("/api/events") as answer:
                    return list((await answer.json())["items"])

            await see(9, 90)  # nobody is there to ask: nothing goes anywhere, and local detection goes on
            assert {event["camera_id"] for event in await events()} == {"c-1", "private"}
            async with http.get("/api/queues") as answer:
                queues = {each["name"]: each for each in (await answer.json())["items"]}
            assert queues[Lane.REMOTE.queue]["messages"] == 0
            await asyncio.sleep(5)
            start("worker", **remote(rabbitmq, server, tmp_path)).ready()
            await see(12, 80)
            await aeventually("asked", lambda: len(server.calls) >= 1, 20)
            value = gateway.metrics.registry.get_sample_value
            sends = {"rule": "event", "outcome": "sent"}
            await aeventually("described", lambda: (value("gateway_described_total", sends) or 0) >= 1, 20)
            told: list[Any] = []
            for _ in range(40):
                told = [each for each in await events() if each["description"] is not None]
                if len(told) == 2:
                    break
                await asyncio.sleep(0.5)
            count = value("gateway_described_total", sends)
            assert count == len(server.calls) == len(told) == 2  # the one of before, and the one of now
            for event in told:
                assert event["camera_id"] == "c-1"
                assert event["description"].startswith("picture ")
                assert event["description_model"].startswith("seer@")
                assert event["faces"] == 1
                assert event["model"].startswith("yunet")
        assert not dead.deliveries


async def test_motion_without_a_face_is_described_once_for_each_stretch(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    with vision_server(price=(10.0, 50.0)) as server:
        async with (
            running_gateway(
                tmp_path / "gateway",
                amqp_url=rabbitmq,
                history_gap_seconds=4.0,
                remote_rules="motion",
                remote_cameras="c-*",
            ) as gateway,
            aiohttp.ClientSession(gateway.address, headers=BEARER) as http,
            bus(rabbitmq) as b,
        ):
            start("worker", AMQP_URL=rabbitmq, NODE_ID="local").ready()
            start("worker", **remote(rabbitmq, server, tmp_path)).ready()
            sent = 0

            async def see(seconds: float, **cameras: float | None) -> None:
                """Pictures without a face; of each camera with this motion."""
                nonlocal sent
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    sent += 1
                    picture = encoded(np.full((240, 320, 3), sent % 200, np.uint8), ".jpg")
                    for camera, motion in cameras.items():
                        camera_id = camera.replace("_", "-")
                        more = {} if motion is None else {"motion": motion}
                        frame_id = f"{camera_id}:{sent}"
                        body = task(picture, camera_id=camera_id, frame_id=frame_id, **more)
                        assert await b.task(body, Lane.LIVE.queue) is Outcome.CONFIRMED
                    await asyncio.sleep(0.5)

            async def events() -> list[Any]:
                async with http.get("/api/events") as answer:
                    return list((await answer.json())["items"])

            await see(12, c_1=0.2, c_2=0.004, c_3=None, private=0.2)
            await aeventually("asked", lambda: len(server.calls) == 1, 15)
            await see(3, c_1=0.2)
            (event,) = await events()
            assert (event["camera_id"], event["faces"]) == ("c-1", 0)
            await asyncio.sleep(6)  # the stretch is over
            await see(8, c_1=0.2)
            await aeventually("the second", lambda: len(server.calls) == 2, 15)
            told: list[Any] = []
            for _ in range(40):
                told = [each for each in await events() if each["description"] is not None]
                if len(told) == 2:
                    break
                await asyncio.sleep(0.5)
            first = told[-1]
            assert first["description"].startswith("picture ")
            assert first["thumbnail"]
            assert first["end"] - first["start"] > 12  # it lasts as long as the motion
            assert len(server.calls) == 2
            value = gateway.metrics.registry.get_sample_value
            assert value("gateway_described_total", {"rule": "motion", "outcome": "sent"}) == 2
