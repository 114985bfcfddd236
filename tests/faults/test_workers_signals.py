"""SIGTERM under load: the worker finishes what it holds, nothing is delivered again. A second one ends it at once."""

import asyncio
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from broker import Consumer, Delivery
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.faults.patched import CRASHING_BROKER_THREAD, patch, slow_picture
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually

pytestmark = pytest.mark.faults

WHITE = cv2.imencode(".jpg", np.full((48, 64, 3), 255, np.uint8))[1].tobytes()


@pytest.mark.parametrize("prefetch", ["1", "4"])
async def test_sigterm_under_load(prefetch: str, start: StartService, rabbitmq: str) -> None:
    worker = start(
        "worker",
        AMQP_URL=rabbitmq,
        WORKER_DETECTOR="haar",
        WORKER_STALENESS_SECONDS="600",
        PREFETCH=prefetch,
    )
    await asyncio.to_thread(worker.ready)
    rest: list[Delivery] = []
    async with clerk(rabbitmq) as books:
        async with books.load(200):
            await aeventually("the worker works", lambda: len(books.books.results) > 50)
            asked = time.monotonic()
            status = await asyncio.to_thread(worker.stop)
            took = time.monotonic() - asked
        left = Consumer("frame_queue", rest.append)
        async with bus(rabbitmq, left):
            await aeventually("the rest", lambda: len(rest) >= len(books.books.open))
            again = sum(delivery.redelivered for delivery in rest)
            print(
                f"\nSIGTERM at prefetch {prefetch}: exit {status} in {took:.2f} s, {again} redelivered of "
                f"{len(rest)} left; {books.books}"
            )
            assert {str(delivery.message_id) for delivery in rest} >= books.books.open
    assert (status, again, books.books.duplicates) == (0, 0, 0)


async def test_a_second_sigterm_forces(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    marker = tmp_path / "computing"
    worker = start(
        "worker",
        AMQP_URL=rabbitmq,
        WORKER_DETECTOR="haar",
        WORKER_STALENESS_SECONDS="600",
        **patch(tmp_path / "slow", slow_picture(marker)),
    )
    await asyncio.to_thread(worker.ready)
    async with clerk(rabbitmq) as books:
        await books.send(WHITE)
        await aeventually("the frame is being computed", marker.exists)
        worker.process.send_signal(signal.SIGTERM)
        await aeventually("it is stopping", lambda: "it is stopping" in worker.get("/readyz")[1])
        worker.process.send_signal(signal.SIGTERM)
        forced = time.monotonic()
        status = await asyncio.to_thread(worker.process.wait, 20)
        took = time.monotonic() - forced
        successor = start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="600")
        settled = await books.settled()
        assert successor.process.poll() is None
        print(f"\nsecond SIGTERM: exit {status} after {took:.3f} s; {settled}")
    assert status == 128 + signal.SIGTERM
    assert took < 10  # the picture takes a minute


async def test_without_its_broker_thread_it_is_not_ready_and_ends(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    """It must not look alive for as long as it may take to finish what it can no longer finish."""
    worker = start(
        "worker",
        AMQP_URL=rabbitmq,
        WORKER_DETECTOR="haar",
        **patch(tmp_path / "crash", CRASHING_BROKER_THREAD),
    )
    await asyncio.to_thread(worker.ready)
    await aeventually("the crash", lambda: "the broker's thread crashed" in worker.log.read_text(), 15)
    status, said = await asyncio.to_thread(worker.get, "/readyz")
    assert status == 0 or (status == 503 and "the thread that talks to the broker" in said)
    assert await asyncio.to_thread(worker.process.wait, 10) == 1
    assert "worker: the broker's thread crashed: RuntimeError: no such thing" in worker.log.read_text()
