"""Workers that end at the worst moment: in the middle of a frame, and between a result and its acknowledgement."""

import asyncio
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from broker import Consumer, Delivery
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.faults.patched import DIES_BEFORE_ACKNOWLEDGING, patch, slow_picture
from tests.faults.screen import Screen
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually

pytestmark = pytest.mark.faults

WHITE = cv2.imencode(".jpg", np.full((48, 64, 3), 255, np.uint8))[1].tobytes()
PREFETCH = 2


async def test_kill_9_mid_frame_is_redelivered_within_a_second(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    """The second consumer is a plain one: it says exactly when the broker delivers again, and what."""
    worker = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    marker = tmp_path / "computing"
    slow = patch(tmp_path / "slow", slow_picture(marker))
    victim = start("worker", NODE_ID="victim", PREFETCH=str(PREFETCH), **worker, **slow)
    await asyncio.to_thread(victim.ready)
    screen = Screen()
    came: list[tuple[float, Delivery]] = []
    second = Consumer("frame_queue", lambda delivery: came.append((time.monotonic(), delivery)))
    async with clerk(rabbitmq) as books, bus(rabbitmq, screen):
        for _ in range(5):
            await books.send()
        await aeventually("ordinary results", lambda: len(books.books.results) == 5)
        for _ in range(PREFETCH):
            await books.send(WHITE)
        await aeventually("the victim computes", marker.exists)
        await aeventually("and holds them all", lambda: books.depth.messages.get("frame_queue") == 0)
        async with bus(rabbitmq, second):
            await aeventually("a second consumer", lambda: second.subscribed)
            killed = time.monotonic()
            victim.process.kill()
            await aeventually("delivered again", lambda: len(came) >= PREFETCH)
            seconds = came[0][0] - killed
        # The plain consumer went without a word, too: a worker gets what both of them held.
        start("worker", NODE_ID="survivor", **worker)
        settled = await books.settled()
        await aeventually("the screen", lambda: screen.wire.keys() >= settled.results.keys())
    print(
        f"\nkill -9 mid-frame: delivered again {seconds * 1000:.0f} ms after the kill; {settled}; "
        f"{screen.check(tmp_path / 'history.sqlite3')}"
    )
    assert all(delivery.redelivered for _, delivery in came)
    assert len(came) <= PREFETCH
    assert seconds < 1
    assert settled.duplicates <= PREFETCH


async def test_kill_9_again_and_again_under_load(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    environment = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    screen, kills = Screen(), 3
    async with clerk(rabbitmq) as books, bus(rabbitmq, screen):
        steady = start("worker", NODE_ID="steady", **environment)
        async with books.load(100):
            for number in range(kills):
                victim = start("worker", NODE_ID=f"victim-{number}", **environment)
                await asyncio.to_thread(victim.ready)
                before = len(books.books.results)
                await aeventually("load", lambda: len(books.books.results) > before + 50)  # noqa: B023
                victim.process.kill()
        settled = await books.settled()
        assert steady.process.poll() is None
        await aeventually("the screen", lambda: screen.wire.keys() >= settled.results.keys())
    print(f"\n{kills} workers killed: {settled}; {screen.check(tmp_path / 'history.sqlite3')}")
    assert settled.duplicates <= kills


async def test_a_crash_between_the_confirmed_result_and_the_acknowledgement(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    environment = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    crashing = patch(tmp_path / "crashing", DIES_BEFORE_ACKNOWLEDGING)
    victim = start("worker", NODE_ID="victim", **environment, **crashing)
    screen = Screen()
    async with clerk(rabbitmq) as books, bus(rabbitmq, screen):
        await aeventually("the screen", lambda: screen.subscribed)
        await books.send()
        assert await asyncio.to_thread(victim.process.wait, 20) == 9
        await aeventually("the result of the one that died", lambda: screen.wire.total() == 1)
        start("worker", NODE_ID="survivor", **environment)
        await aeventually("the frame again", lambda: screen.wire.total() == 2)
        await aeventually("both results read", lambda: books.books.results.total() == 2)
        settled = await books.settled()
        nodes = [result.node_id for result in screen.results]
    (frame_id,) = settled.confirmed
    print(
        f"\ncrash before the acknowledgement: computed by {nodes}; {screen.check(tmp_path / 'history.sqlite3')}"
    )
    assert nodes == ["victim", "survivor"]
    assert screen.shown[frame_id] == 1
