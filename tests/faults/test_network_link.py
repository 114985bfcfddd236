"""The link between a worker and the broker breaks: cut, held, half-open, slow. Nothing is lost, no consumer stays."""

import asyncio
import time

import cv2
import numpy as np
import pytest

from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.faults.books import Clerk, clerk
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import consumers, vhost_of
from tests.helpers.processes import Service
from tests.helpers.proxy import Proxy, proxy

pytestmark = pytest.mark.faults

CUT_SECONDS = 10.0
FRAMES = 20  # through the slow link
NOISE = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8))[1].tobytes()
"""23 KB: what a frame weighs on the line."""


async def a_worker(start: StartService, link: Proxy, url: str) -> Service:
    worker = start(
        "worker",
        NODE_ID="far",
        AMQP_URL=link.url(url),
        WORKER_DETECTOR="haar",
        WORKER_STALENESS_SECONDS="600",
    )
    return await asyncio.to_thread(worker.ready)


async def results_go_on(books: Clerk, seconds: float = 30.0) -> float:
    """Seconds until five more results have come."""
    begun, before = time.monotonic(), len(books.books.results)
    await aeventually("results go on", lambda: len(books.books.results) >= before + 5, seconds)
    return time.monotonic() - begun


@pytest.mark.parametrize("how", ["reset", "silent"])
async def test_cut_for_ten_seconds(
    how: str, start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    async with proxy(rabbitmq) as link, clerk(rabbitmq) as books:
        await a_worker(start, link, rabbitmq)
        async with books.load(50):
            await results_go_on(books)
            link.cut() if how == "reset" else link.hold()
            await asyncio.sleep(CUT_SECONDS)  # the fault itself, not a wait for its end
            link.mend()
            seconds = await results_go_on(books)
        settled = await books.settled()
        assert await consumers(shared_rabbitmq, vhost_of(rabbitmq)) == 1
        print(f"\n10 s cut ({how}): results {seconds:.2f} s after its end; {settled}")


async def test_half_open_connection(
    start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    async with proxy(rabbitmq) as link, clerk(rabbitmq) as books:
        await a_worker(start, link, rabbitmq)
        async with books.load(20):
            await results_go_on(books)
            dead = set(link.links)
            link.half_open()
            begun = time.monotonic()
            await aeventually("the worker noticed", lambda: not dead & link.links, 30)
            noticed = time.monotonic() - begun
            await results_go_on(books)
            served = time.monotonic() - begun
        settled = await books.settled()
        assert await consumers(shared_rabbitmq, vhost_of(rabbitmq)) == 1
        print(f"\nhalf-open: noticed in {noticed:.1f} s, results after {served:.1f} s; {settled}")
        assert noticed < 15


@pytest.mark.parametrize(("bits", "latency"), [(2_000_000, 0.0), (0, 0.1)], ids=["2 Mbit/s", "100 ms"])
async def test_slow_link(
    bits: int, latency: float, start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    async with proxy(rabbitmq) as link, clerk(rabbitmq) as books:
        worker = await a_worker(start, link, rabbitmq)
        link.bits_per_second, link.latency = bits, latency
        begun = time.monotonic()
        for _ in range(FRAMES):
            await books.send(NOISE)
        settled = await books.settled(90)
        seconds = time.monotonic() - begun
        assert worker.process.poll() is None
        assert await consumers(shared_rabbitmq, vhost_of(rabbitmq)) == 1
        assert link.accepted == 2  # one connection to consume, one to publish: neither was given up
        print(f"\nslow link ({bits} bit/s, {latency} s): {FRAMES / seconds:.1f} frames/s; {settled}")
        assert settled.duplicates == 0
