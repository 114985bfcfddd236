"""An exchange is deleted and there again at once: those who listen to it hear of nothing, and must hear again."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import websockets

from broker.session import session
from contract.topology import CONTROL_EXCHANGE, RESULTS_EXCHANGE, STATUS_EXCHANGE, TOPOLOGY, WATCH_EXCHANGE
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg, task

pytestmark = pytest.mark.faults

PICTURE = jpeg(astronaut())
SEND_SECONDS = 0.3


async def replace(url: str, name: str) -> None:
    """Delete the exchange and declare it anew, as another service that misses it does."""
    exchange = next(each for each in TOPOLOGY.exchanges if each.name == name)
    async with session([url], "deletes") as opened, opened.channel() as channel:
        await channel.call(lambda done: channel.raw.exchange_delete(name, callback=done))
        await channel.call(
            lambda done: channel.raw.exchange_declare(name, exchange.type, durable=True, callback=done)
        )


async def test_exchanges_replaced_under_a_gateway_and_a_worker(
    rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, rabbitmq, tmp_path)
    fleet.worker("one")
    async with running_gateway(tmp_path, amqp_url=rabbitmq) as gateway, bus(rabbitmq) as sender:
        await fleet.ready()

        async def send() -> None:
            number = 0
            while True:
                number += 1
                for camera in ("gate", "hall"):
                    await sender.task(task(PICTURE, camera_id=camera, frame_id=f"{camera}:{number}"))
                await asyncio.sleep(SEND_SECONDS)

        def counted(name: str) -> Callable[[], float]:
            return lambda: gateway.metrics.registry.get_sample_value(name) or 0.0

        def heartbeat() -> float:
            return max((status.time for status in gateway.nodes.statuses(time.monotonic())), default=0.0)

        pictures: list[str] = []
        tasks = [asyncio.create_task(send()), asyncio.create_task(_watch(gateway, "gate", pictures))]
        try:
            await aeventually("pictures", lambda: pictures)
            await replace(rabbitmq, RESULTS_EXCHANGE)
            await _again("live results", counted("gateway_results_total"))
            await replace(rabbitmq, STATUS_EXCHANGE)
            await _again("heartbeats", heartbeat)
            await replace(rabbitmq, WATCH_EXCHANGE)
            await _again("pictures", lambda: len(pictures))
            await replace(rabbitmq, CONTROL_EXCHANGE)
            others: list[str] = []  # the worker learns by `control` that somebody watches it
            tasks.append(asyncio.create_task(_watch(gateway, "hall", others)))
            await aeventually("pictures of another camera", lambda: others)
        finally:
            for each in tasks:
                each.cancel()


async def _watch(gateway: Gateway, camera_id: str, pictures: list[str]) -> None:
    """Look at a camera; `pictures` collects the frame_ids of those that came."""
    url = f"ws://127.0.0.1:{gateway.port}/ws/results?frames=1&cameras={camera_id}"
    async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        async for received in socket:
            event = json.loads(received)
            if "frame" in event:
                pictures.append(event["frame_id"])


async def _again(what: str, count: Callable[[], float]) -> None:
    """It goes on rising: what was under way before is not enough."""
    await asyncio.sleep(3 * SEND_SECONDS)
    before = count()
    await aeventually(what, lambda: count() > before)
