"""Five times more frames than the workers can do, on a real broker: fresh, fair, and no worker idle."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from tests.helpers.eventually import aeventually
from tests.helpers.http_camera import http_camera
from tests.helpers.overload import jain
from tests.helpers.workers import TimedWorkers, timed_workers

pytestmark = pytest.mark.alone  # beside other tests there is no telling how much the workers can do

TARGET = 0.2  # seconds that frames shall wait
SECONDS = 0.08  # of a worker for a frame: half as many take half of a slow machine
SETTLING, WATCHED = 8.0, 5.0  # "within seconds": two producers that start together need most of them
SETTLED = 3.0  # seconds of being fresh, fair and busy, after which it is watched
FAST, SLOW = 25, 12.5  # frames a second of a camera of the fast and of the slow producer


class Watch:
    """What several groups of workers take from now on: so many workers, which frames of so many cameras keep busy."""

    def __init__(self, what: str, workers: int, cameras: int, *groups: TimedWorkers) -> None:
        self._what = what
        self._workers = workers
        self._cameras = cameras
        self._groups = groups
        self._since = time.time()

    async def settle(self) -> None:
        """Wait until all is well for a while, or for the seconds that this may take; then begin to count."""
        begun = time.time()
        while time.time() < begun + SETTLING:
            await asyncio.sleep(0.25)
            self._since = max(begun, time.time() - SETTLED)
            if time.time() >= begun + SETTLED and self._is_well(SETTLED):
                break
        self._since = time.time()

    async def judge(self) -> None:
        """Fresh, fair, busy: soon, and then for WATCHED seconds."""
        await self.settle()
        await asyncio.sleep(WATCHED)  # the time that is measured, not one that is waited for luck
        print(
            f"{self._what}: p95 {self._p95 * 1000:.0f} ms, Jain {jain(self.shares.values()):.3f} over "
            f"{len(self.shares)} cameras, {len(self._ages) / self._capacity(WATCHED):.0%} of what the workers can do"
        )
        # Twice the target in the queue, and in the slot until the next picture of the slow producer's cameras.
        assert self._p95 < 2 * TARGET + 1 / SLOW
        assert len(self.shares) == self._cameras
        # 0.95 is what is aimed at, and what simulation shows. Of 24 real watches three had 0.936 to 0.946, each
        # right after two producers had started together.
        assert jain(self.shares.values()) >= 0.9
        # The stand-ins' timers are late on a busy machine; simulation shows the 0.95 (test_producer_turns).
        assert len(self._ages) >= 0.85 * self._capacity(WATCHED)

    @property
    def shares(self) -> Counter[str]:
        """Frames by camera."""
        pairs = ((when, task) for g in self._groups for (when, _), task in zip(g.ages, g.tasks, strict=True))
        return Counter(task.camera_id for when, task in pairs if when >= self._since)

    def _is_well(self, seconds: float) -> bool:
        shares = self.shares
        return (
            len(shares) == self._cameras
            and self._p95 < 2 * TARGET + 1 / SLOW
            and jain(shares.values()) >= 0.9
            and len(self._ages) >= 0.85 * self._capacity(seconds)
        )

    @property
    def _ages(self) -> list[float]:
        """Seconds from capture until a worker took the frame."""
        return sorted(age for group in self._groups for when, age in group.ages if when >= self._since)

    @property
    def _p95(self) -> float:
        ages = self._ages
        return ages[int(len(ages) * 0.95)]

    def _capacity(self, seconds: float) -> float:
        return self._workers / SECONDS * seconds


async def test_a_slow_and_a_fast_producer_while_workers_are_killed_and_added(
    rabbitmq: str, start: Any
) -> None:
    capacity = 6 / SECONDS  # 75 frames a second
    settings = {"AMQP_URL": rabbitmq, "PRODUCER_FORM": "compact"}
    async with timed_workers(rabbitmq, 3, SECONDS) as stay:
        async with timed_workers(rabbitmq, 3, SECONDS) as killed:
            fast = start(
                "producer", SOURCE="fast=demo:8", PRODUCER_FPS=str(FAST), PRODUCER_ID="f", **settings
            )
            slow = start(
                "producer", SOURCE="slow=demo:14", PRODUCER_FPS=str(SLOW), PRODUCER_ID="s", **settings
            )
            assert 5 * capacity == 8 * FAST + 14 * SLOW
            fast.ready()
            slow.ready()
            await Watch("six workers", 6, 22, stay, killed).judge()
        # What they held goes back to the queue.
        await Watch("three of them killed", 3, 22, stay).judge()
        async with timed_workers(rabbitmq, 3, SECONDS) as added:
            await Watch("three added", 6, 22, stay, added).judge()
            assert (fast.stop(), slow.stop()) == (0, 0)


async def test_a_camera_of_priority_three_gets_three_times_the_turns(
    rabbitmq: str, start: Any, tmp_path: Any
) -> None:
    file = tmp_path / "cameras.yaml"
    lines = [f"  - {{id: c{n}, source: 'demo:1', priority: {3 if n < 10 else 1}}}" for n in range(100)]
    file.write_text("defaults: {fps: 5}\ncameras:\n" + "\n".join(lines))
    # So many cameras that one frame of each outstanding is enough for its share.
    async with timed_workers(rabbitmq, 8, SECONDS) as workers:  # 100 a second; 500 are offered
        producer = start("producer", AMQP_URL=rabbitmq, CAMERAS=str(file), PRODUCER_FORM="compact")
        producer.ready()
        watch = Watch("priorities", 8, 100, workers)
        await watch.settle()
        await asyncio.sleep(12)
        shares = watch.shares
        urgent = sum(shares[f"c{n}"] for n in range(10)) / 10
        others = sum(shares[f"c{n}"] for n in range(10, 100)) / 90
        print(f"priority 3: {urgent:.1f} frames, priority 1: {others:.1f}, ratio {urgent / others:.2f}")
        assert 2.4 < urgent / others < 3.7
        assert producer.stop() == 0


async def test_http_cameras_are_asked_when_their_turn_has_come(rabbitmq: str, start: Any) -> None:
    cameras, fps, workers = 40, 5, 4  # 200 a second are offered, 50 can be computed
    async with http_camera() as server, timed_workers(rabbitmq, workers, SECONDS) as taken:
        source = ",".join(f"c{n}={server.url}/resizes?camera={n}" for n in range(cameras))
        producer = start(
            "producer",
            AMQP_URL=rabbitmq,
            SOURCE=source,
            PRODUCER_FPS=str(fps),
            PRODUCER_FORM="compact",
            PRODUCER_MOTION="off",
        )
        producer.ready()
        await aeventually("frames", lambda: len(taken.tasks) > 100)
        asked, computed = len(server.requests), len(taken.tasks)
        await Watch("HTTP cameras", workers, cameras, taken).judge()
        asked, computed = len(server.requests) - asked, len(taken.tasks) - computed
        print(f"{asked} pictures asked for, {computed} computed")
        assert asked <= 1.1 * computed + cameras  # and not 200 a second
        assert 'reason="stale"' not in (await asyncio.to_thread(producer.get, "/metrics"))[1]
        assert producer.stop() == 0
