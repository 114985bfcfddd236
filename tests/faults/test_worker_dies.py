"""A worker that dies loses nothing: its frame is delivered again, and one result is visible."""

import time

import pytest

from tests.conftest import StartService
from tests.faults.books import clerk
from tests.helpers.eventually import aeventually

pytestmark = pytest.mark.faults


async def test_kill_9_mid_frame(start: StartService, rabbitmq: str) -> None:
    environment = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    victim = start("worker", NODE_ID="victim", **environment).ready()
    async with clerk(rabbitmq) as books:
        async with books.load(100):
            await aeventually("the victim works", lambda: len(books.books.results) > 20)
            survivor = start("worker", NODE_ID="survivor", **environment).ready()
            await aeventually("a backlog", lambda: len(books.books.confirmed) > 100)
            before = len(books.books.results)
            victim.process.kill()
            killed = time.monotonic()
            await aeventually("results go on", lambda: len(books.books.results) > before + 20)
        settled = await books.settled()
        assert survivor.process.poll() is None
        # The frame that the victim held: it was computed apart by the survivor.
        print(f"\nkill -9: {settled}; went on {time.monotonic() - killed:.2f} s after the kill")
        assert settled.duplicates <= 1
