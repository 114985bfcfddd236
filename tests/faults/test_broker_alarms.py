"""Memory and disk alarms: workers hold their frame, sources shed, and all resumes by itself without a loss."""

import asyncio
import time
from pathlib import Path

import pytest

from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import Fleet, by_reason, said

pytestmark = pytest.mark.faults

ALARMS = {
    "memory": (["set_vm_memory_high_watermark", "0.0000001"], ["set_vm_memory_high_watermark", "0.4"]),
    "disk": (["set_disk_free_limit", "1000000GB"], ["set_disk_free_limit", "50MB"]),
}


@pytest.mark.parametrize("alarm", ALARMS)
async def test_alarm_and_its_end(
    alarm: str, shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    raise_it, end_it = ALARMS[alarm]
    fleet = Fleet(start, rabbitmq, tmp_path)
    worker, producer = fleet.worker("one"), fleet.producer()
    await fleet.ready()
    async with clerk(rabbitmq) as books:
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20)
            try:
                await asyncio.to_thread(shared_rabbitmq.ctl, *raise_it)
                await said(worker, "publishing is blocked")
                await said(producer, "publishing is blocked")
                await aeventually("the clerk is told", lambda: books.publisher.blocked)
                held, refused = len(books.books.results), books.books.refused["blocked"]
                shed = await by_reason(producer, "producer_frames_dropped_total")
                await aeventually("the clerk sheds", lambda: books.books.refused["blocked"] > refused + 100)
                assert len(books.books.results) - held <= 2  # the worker holds; what was under way came out
                shed = await by_reason(producer, "producer_frames_dropped_total") - shed
            finally:
                await asyncio.to_thread(shared_rabbitmq.ctl, *end_it)
            ended, before = time.monotonic(), len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20)
            seconds = time.monotonic() - ended
        settled = await books.settled()
        assert worker.get("/readyz")[0] == 200
        assert shed.total() > 0
        print(
            f"\n{alarm} alarm: the producer shed {dict(shed)}, results {seconds:.2f} s after its end; {settled}"
        )
