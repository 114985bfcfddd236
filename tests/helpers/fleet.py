"""Services of ours around a broker that a fault test breaks: are they back, and who consumes what."""

import asyncio
import re
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.helpers.eventually import aeventually
from tests.helpers.processes import Service


class Fleet:
    """Workers, and if wanted a gateway and a producer of demo cameras, as processes."""

    def __init__(self, start: StartService, urls: str, folder: Path) -> None:
        self._start = start
        self._urls = urls
        self.history = folder / "gateway" / "history.sqlite3"
        self.services: list[Service] = []

    def worker(self, node_id: str) -> Service:
        return self._begin("worker", NODE_ID=node_id, WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="600")

    def gateway(self) -> Service:
        return self._begin("gateway", GATEWAY_PORT="0", GATEWAY_DATA_DIR=str(self.history.parent))

    def producer(self) -> Service:
        return self._begin("producer", SOURCE="demo:2", PRODUCER_FPS="5", PRODUCER_ID="demo")

    def _begin(self, name: str, **environment: str) -> Service:
        service = self._start(name, AMQP_URL=self._urls, **environment)
        self.services.append(service)
        return service

    async def ready(self, seconds: float = 30.0) -> float:
        """Wait until every service says that it is connected and at work; returns how long that took."""
        begun = time.monotonic()
        for service in self.services:
            left = max(0.1, begun + seconds - time.monotonic())
            await asyncio.to_thread(service.ready, left)
        return time.monotonic() - begun

    def stored(self) -> set[str]:
        """The frame_ids in the gateway's history."""
        if not self.history.exists():
            return set()
        connection = sqlite3.connect(f"file:{self.history}?mode=ro", uri=True)
        try:
            return {frame_id for (frame_id,) in connection.execute("SELECT frame_id FROM results")}
        finally:
            connection.close()


async def consumers(node: RabbitMQNode, vhost: str = "/", queue: str = "frame_queue") -> int:
    """How many consumers the broker itself sees on the queue."""
    printed = await asyncio.to_thread(
        node.ctl, "list_consumers", "--vhost", vhost, "--no-table-headers", "queue_name"
    )
    return printed.split().count(queue)


@asynccontextmanager
async def largest_message(node: RabbitMQNode, size: int) -> AsyncIterator[None]:
    """The broker takes no message of more bytes meanwhile, as after an upgrade to RabbitMQ 4: it closes the channel."""
    # In an environment (3.10), or in a term (4.0).
    limit = (
        "S = {}, application:set_env(rabbit, max_message_size, S), persistent_term:put(max_message_size, S)."
    )
    asked = "element(2, application:get_env(rabbit, max_message_size))."
    usual = await asyncio.to_thread(node.ctl, "eval", asked)
    await asyncio.to_thread(node.ctl, "eval", limit.format(size))
    try:
        yield
    finally:
        await asyncio.to_thread(node.ctl, "eval", limit.format(usual.strip()))


async def metric(service: Service, line: str) -> float:
    """The sum of the metrics lines that start with `line`."""
    text = (await asyncio.to_thread(service.get, "/metrics"))[1]
    return sum(float(each.rsplit(" ", 1)[1]) for each in text.splitlines() if each.startswith(line))


async def by_reason(service: Service, name: str) -> Counter[str]:
    """The counter of that name, summed by its label `reason`."""
    text = (await asyncio.to_thread(service.get, "/metrics"))[1]
    found = re.findall(rf'^{name}{{.*reason="(\w+)".*}} (\S+)$', text, re.MULTILINE)
    summed: Counter[str] = Counter()
    for reason, value in found:
        summed[reason] += int(float(value))
    return summed


async def said(service: Service, words: str, seconds: float = 20.0) -> None:
    """Wait until the service's log has the words."""
    await aeventually(f"{service.log.name}: {words}", lambda: words in service.log.read_text(), seconds)


def vhost_of(url: str) -> str:
    """The virtual host that the URL names."""
    return url.rsplit("/", 1)[1] or "/"
