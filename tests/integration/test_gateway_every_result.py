"""A program on `/ws/results` gets every result once: from four workers that overtake each other, and from the time in
which the gateway was away from the broker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import websockets

from broker import Outcome
from contract.task import Task, encode_task
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg
from tests.helpers.processes import Service
from tests.helpers.proxy import proxy

pytestmark = pytest.mark.integration

WORKERS = 4
BURSTS, BURST = 25, 8
LARGE = jpeg(astronaut())
SMALL = jpeg(astronaut()[:96, :96])


@asynccontextmanager
async def program(gateway: Gateway) -> AsyncIterator[list[str]]:
    """The frame_ids that a plain client has received so far."""
    received: list[str] = []
    url = f"ws://127.0.0.1:{gateway.port}/ws/results"

    async def read() -> None:
        async for message in socket:
            received.append(json.loads(message)["frame_id"])  # noqa: PERF401  # looked at meanwhile

    async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        reading = asyncio.create_task(read())
        await aeventually("the client is in", lambda: gateway.hub.viewers == 1)
        yield received
        reading.cancel()


async def send(sender: Bus, number: int, image: bytes) -> str:
    frame_id = f"gate:{number}"
    task = Task(image=image, timestamp=time.time(), camera_id="gate", frame_id=frame_id)
    encoded = encode_task(task)
    assert await sender.task(encoded.body) is Outcome.CONFIRMED
    return frame_id


def a_worker(start: StartService, url: str, name: str = "n") -> Service:
    return start("worker", AMQP_URL=url, NODE_ID=name, WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="600")


async def test_bursts_through_four_workers_that_overtake_each_other(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    workers = [a_worker(start, rabbitmq, f"n-{number}") for number in range(WORKERS)]
    for worker in workers:
        worker.ready()
    async with (
        bus(rabbitmq) as sender,
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        program(gateway) as received,
    ):
        await aeventually("the gateway is ready", lambda: gateway.missing() == [])
        sent = []
        for burst in range(BURSTS):
            images = [LARGE if number % 3 == 0 else SMALL for number in range(BURST)]
            numbers = range(burst * BURST, (burst + 1) * BURST)
            sent += await asyncio.gather(
                *(send(sender, number, image) for number, image in zip(numbers, images, strict=True))
            )
        await aeventually("every frame is answered", lambda: len(received) >= len(sent), 60)
        assert sorted(received) == sorted(sent)
        overtaken = gateway.metrics.registry.get_sample_value("gateway_results_superseded_total")
        print(
            f"\n{len(sent)} frames, {overtaken:g} results overtaken by newer ones, {len(received)} received"
        )
        assert overtaken  # else this has proved nothing


async def test_one_of_two_gateways_tells_what_it_missed(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    a_worker(start, rabbitmq).ready()
    async with (
        proxy(rabbitmq) as link,
        bus(rabbitmq) as sender,
        running_gateway(tmp_path / "one", amqp_url=link.url(rabbitmq)) as gateway,
        running_gateway(tmp_path / "two", amqp_url=rabbitmq) as other,
    ):
        await aeventually("both are ready", lambda: gateway.missing() == other.missing() == [])
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            websockets.connect(url, additional_headers=headers) as every,
            websockets.connect(f"{url}?latest=1", additional_headers=headers) as latest,
        ):
            await aeventually("the clients are in", lambda: gateway.hub.viewers == 2)
            link.cut()
            await aeventually("the gateway has noticed", lambda: "RabbitMQ" in str(gateway.missing()))
            await send(sender, 1, SMALL)
            link.mend()
            await asyncio.wait_for(every.wait_closed(), 30)
            assert every.close_code == 1013
            assert "went to other gateways" in str(every.close_reason)
            await send(sender, 2, SMALL)
            async with asyncio.timeout(20):
                while json.loads(await latest.recv())["frame_id"] != "gate:2":
                    pass


async def test_results_of_the_time_away_from_the_broker_come_late_and_once(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    a_worker(start, rabbitmq).ready()
    async with (
        proxy(rabbitmq) as link,
        bus(rabbitmq) as sender,
        running_gateway(tmp_path, amqp_url=link.url(rabbitmq)) as gateway,
        program(gateway) as received,
    ):
        await aeventually("the gateway is ready", lambda: gateway.missing() == [])
        sent = [await send(sender, number, SMALL) for number in range(5)]
        await aeventually("they are answered", lambda: received == sent)
        link.cut()
        await aeventually("the gateway has noticed", lambda: "RabbitMQ" in str(gateway.missing()))
        sent += [await send(sender, number, SMALL) for number in range(5, 25)]
        link.mend()
        await aeventually("the gateway is back", lambda: gateway.missing() == [], 30)
        sent += [await send(sender, number, SMALL) for number in range(25, 30)]
        await aeventually("every frame is answered", lambda: len(received) >= len(sent), 30)
        assert sorted(received) == sorted(sent)
        late = gateway.metrics.registry.get_sample_value("gateway_results_late_total")
        assert late
