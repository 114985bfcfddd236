"""Draining workers through the gateway on a real broker: real workers, no frame lost, none delivered twice."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import Consumer, Delivery
from contract.api.nodes import NodeView
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.processes import Service

pytestmark = pytest.mark.integration

FRAME = jpeg(astronaut())
AGAIN = "it comes again"
"""What a worker's log says of a redelivered frame."""


class Site:
    """A gateway, workers by their names, frames that are sent and the results that come of them."""

    def __init__(self, url: str, folder: Path, start: StartService) -> None:
        self._url = url
        self._folder = folder
        self._start = start
        self.workers: dict[str, Service] = {}
        self.sent = 0
        self.results: Counter[str] = Counter()
        self.results_queue = Consumer(
            EphemeralQueue(bindings=((RESULTS_EXCHANGE, "#"),)), self._result, no_ack=True
        )
        self.gateway: Gateway

    def _result(self, delivery: Delivery) -> None:
        self.results[json.loads(delivery.body)["frame_id"]] += 1

    def worker(self, name: str) -> Service:
        self.workers[name] = self._start(
            "worker",
            AMQP_URL=self._url,
            NODE_ID=name,
            WORKER_DETECTOR="haar",
            WORKER_STALENESS_SECONDS="600",
        )
        return self.workers[name]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with running_gateway(self._folder, amqp_url=self._url) as self.gateway:
            await aeventually(
                "a connected gateway", lambda: not self.gateway.missing() and self.gateway.publisher.usable
            )
            yield

    async def send(self, frames: int) -> None:
        async with bus(self._url) as opened:
            for _ in range(frames):
                self.sent += 1
                await opened.task(task(FRAME, frame_id=f"f-{self.sent}"))

    async def computed(self, frames: int) -> None:
        await aeventually(f"{frames} results", lambda: len(self.results) >= frames, 40)

    def node(self, name: str) -> NodeView | None:
        found = [view for view in self.gateway.nodes.views(time.monotonic()) if view.node_id == name]
        return found[0] if found else None

    async def is_at(self, name: str, state: str) -> None:
        await aeventually(
            f"{name} {state}", lambda: (view := self.node(name)) is not None and view.state == state
        )

    async def ask(self, path: str, expected: int = 200) -> Any:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.request("POST" if path else "GET", f"{self.gateway.address}/api/nodes{path}") as answer,
        ):
            body = await answer.json()
            assert answer.status == expected, body
            return body

    def processed(self, name: str) -> float:
        return self.workers[name].metric(f'cv_frames_processed_total{{node_id="{name}"}}')


async def test_draining_loses_no_frame_and_delivers_none_twice(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    site = Site(rabbitmq, tmp_path, start)
    one, two = site.worker("n-1"), site.worker("n-2")
    async with bus(rabbitmq, site.results_queue), site.serving():
        one.ready()
        two.ready()
        await site.is_at("n-1", "running")
        await site.is_at("n-2", "running")

        # One of two, in the middle of its work.
        await site.send(40)
        await site.computed(4)
        view = await site.ask("/drain?node=n-1")
        assert view["items"][0]["drain"]["by"] == "main"
        assert view["items"][1]["without"]["workers"] == 0, "nobody else takes frames any more"
        await site.is_at("n-1", "drained")
        before = site.processed("n-1")
        assert 0 < before < 40
        assert one.get("/readyz") == (200, '{"status": "drained"}')
        assert one.metric('framefleet_worker_drained{node_id="n-1"}') == 1
        await site.computed(40)
        assert site.processed("n-1") == before

        # Back at work, and away again for as long as nobody calls it, whoever is restarted meanwhile.
        await site.ask("/undrain?node=n-1")
        await site.is_at("n-1", "running")
        await site.send(20)
        await site.computed(60)
        assert site.processed("n-1") > before
        await site.ask("/drain?node=n-1")
        assert one.stop() == 0
        site.worker("n-1").ready()
        await site.is_at("n-1", "drained")

        # All of them: frames wait, and are there when one comes back.
        await site.ask("/drain?node=n-2")
        await site.is_at("n-2", "drained")
        await site.send(10)
        await aeventually("ten wait", lambda: site.gateway.queues.waiting == 10)
        assert len(site.results) == 60
        assert "did you mean n-1? heard are n-1, n-2" in (await site.ask("/drain?node=n-11", 404))["error"]

    async with bus(rabbitmq, site.results_queue), site.serving():  # what was desired outlives the gateway
        await site.is_at("n-1", "drained")
        await site.is_at("n-2", "drained")
        await site.ask("/undrain?node=n-2")
        await site.computed(70)
        assert "n-2 is not drained" in (await site.ask("/undrain?node=n-2", 404))["error"]
        assert two.stop() == 0

    assert set(site.results.values()) == {1}
    assert not any(AGAIN in worker.log.read_text() for worker in site.workers.values())
