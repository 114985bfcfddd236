"""One system for all that stands still or has its clock put back.

Two workers, a producer of two cameras, a gateway with PostgreSQL and Prometheus, and a clerk that keeps the books.
What the page shows is what the gateway answers: /readyz, /api/metrics, /api/nodes, /api/cameras.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from cli.ports import free_port
from cli.rabbitmq import RabbitMQNode
from tests.faults.books import Clerk, clerk
from tests.faults.patched import patch, stepped_clock, unhurried
from tests.helpers.components import require
from tests.helpers.freezing import until
from tests.helpers.gateway import TOKEN
from tests.helpers.postgres import Postgres, private_postgres
from tests.helpers.processes import Service

RATE = 10
HOUR = 3600.0


class System:
    """Everything that runs. `page` asks the gateway as a browser does."""

    def __init__(self, node: RabbitMQNode, postgres: Postgres, url: str, folder: Path) -> None:
        self.node = node
        self.postgres = postgres
        self.clocks = {name: folder / f"{name}-is-put-back" for name in ("worker", "producer", "gateway")}
        self.prometheus: int
        self.books: Clerk
        self._database = postgres.url()
        self._port = free_port()
        self._folder = folder
        self._session: aiohttp.ClientSession
        self.services = {
            # It has a frame in its hands at nearly any moment.
            "one": self._start("worker", unhurried(1.0), NODE_ID="one", **WORKER, AMQP_URL=url),
            "two": self._start("worker", "", NODE_ID="two", **WORKER, AMQP_URL=url),
            "producer": self._start("producer", "", AMQP_URL=url, SOURCE="demo:2", PRODUCER_FPS="5"),
        }
        prometheus_port = free_port()
        self.services["gateway"] = self._start(
            "gateway",
            "",
            AMQP_URL=url,
            DATABASE_URL=self._database,
            PROMETHEUS_URL=f"http://127.0.0.1:{prometheus_port}",
            GATEWAY_PORT=str(self._port),
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(folder / "gateway"),
        )
        self._prometheus_port = prometheus_port

    def _start(self, name: str, code: str, **environment: str) -> Service:
        number = len(list(self._folder.glob(f"{name}*.log")))
        patched = patch(self._folder / f"{name}-{number}", stepped_clock(self.clocks[name], -HOUR) + code)
        return Service(name, self._folder / f"{name}-{number}.log", **environment, **patched)

    @contextmanager
    def scraped(self) -> Iterator[None]:
        """A Prometheus that scrapes as the shipped ones do."""
        workers = [f"127.0.0.1:{self.services[name].probe}" for name in ("one", "two")]
        (self._folder / "prometheus.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "5s", "scrape_timeout": "4s"},
                    "scrape_configs": [{"job_name": "cv-worker", "static_configs": [{"targets": workers}]}],
                }
            )
        )
        process = subprocess.Popen(
            [
                require("prometheus"),
                f"--config.file={self._folder}/prometheus.yml",
                f"--storage.tsdb.path={self._folder}/prometheus",
                f"--web.listen-address=127.0.0.1:{self._prometheus_port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.prometheus = process.pid
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)

    async def opened(self, stack: AsyncExitStack, url: str) -> None:
        """The page and the books."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        timeout = aiohttp.ClientTimeout(total=8)  # as the page's own
        session = aiohttp.ClientSession(f"http://127.0.0.1:{self._port}", headers=headers, timeout=timeout)
        self._session = await stack.enter_async_context(session)
        self.books = await stack.enter_async_context(clerk(url))
        await stack.enter_async_context(self.books.load(RATE))
        await self.well(60)

    async def page(self, path: str) -> Any:
        """What the gateway answers; None if it does not."""
        try:
            async with self._session.get(path) as answer:
                return await answer.json()
        except (TimeoutError, aiohttp.ClientError):
            return None

    async def lacks(self, words: str) -> bool:
        """The page says that so much is missing."""
        ready = await self.page("/readyz")
        return ready is not None and any(words in each for each in ready.get("missing", []))

    async def rate(self) -> tuple[float | None, str]:
        """The rate card, and where its figure is from."""
        metrics = await self.page("/api/metrics")
        return metrics["processingRate"], metrics["source"]["processingRate"]

    async def rests(self) -> bool:
        """The rate card shows that nothing is computed now."""
        return not (await self.rate())[0]

    async def node_state(self, node_id: str) -> str:
        nodes = {each["node_id"]: each["state"] for each in (await self.page("/api/nodes"))["items"]}
        return str(nodes.get(node_id, "gone"))

    async def cameras_live(self) -> bool:
        cameras = await self.page("/api/cameras")
        demo = [each for each in cameras["items"] if each["camera_id"].startswith("demo")]
        return len(demo) == 2 and all(each["state"] == "live" for each in demo)

    async def well(self, seconds: float) -> float:
        """Wait until everything works as before, and the page says so; returns how long that took."""

        async def check() -> bool:
            if (await self.page("/readyz") or {}).get("status") != "ready":
                return False
            rate, _ = await self.rate()
            nodes = [await self.node_state(name) for name in ("one", "two")]
            return bool(rate) and nodes == ["running", "running"] and await self.cameras_live()

        took = await until("all well", check, seconds)
        before, begun = len(self.books.books.results), time.monotonic()
        await until("results", lambda: self._more(before + RATE), seconds)
        return took + time.monotonic() - begun

    async def accounted(self) -> str:
        """Wait until every frame that was confirmed by now has its result. Raises for a loss."""
        confirmed = set(self.books.books.confirmed)
        await until("every confirmed frame accounted for", lambda: self.answered(confirmed), 60)
        return f"{len(confirmed)} confirmed, 0 lost"

    async def answered(self, frame_ids: set[str]) -> bool:
        """They have results: of `result_queue` the clerk reads one half, the gateway the other."""
        missing = frame_ids - self.books.books.results.keys() - self.books.books.dead.keys()
        return not missing or missing <= await asyncio.to_thread(self._stored)

    async def _more(self, number: int) -> bool:
        return len(self.books.books.results) > number

    def _stored(self) -> set[str]:
        with psycopg.connect(self._database) as server:
            return {name for (name,) in server.execute("SELECT frame_id FROM results").fetchall()}

    def close(self) -> None:
        for service in self.services.values():
            service.kill()


WORKER = {"WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}


@asynccontextmanager
async def whole_system(folder: Path) -> AsyncIterator[System]:
    """It runs, and all is well."""
    require("rabbitmq-server")
    node = RabbitMQNode(folder / "broker", name="silent")
    with ExitStack() as servers:
        servers.callback(node.stop)
        await asyncio.to_thread(node.start)
        postgres = servers.enter_context(private_postgres())
        whole = System(node, postgres, node.amqp_url, folder)
        servers.callback(whole.close)
        servers.enter_context(whole.scraped())
        for service in whole.services.values():
            await asyncio.to_thread(service.ready, 60)
        async with AsyncExitStack() as stack:
            await whole.opened(stack, node.amqp_url)
            yield whole


def told(what: str, **seconds: float) -> None:
    """One row of docs/faults.md."""
    print(f"\n{what}: " + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))
