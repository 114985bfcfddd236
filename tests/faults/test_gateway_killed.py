"""kill -9 of gateways while results pour in: no row of the history is lost, and nothing is counted twice.

The oracle is what was confirmed: the rows, the events and the minutes of the history must be those that come of it.
"""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from broker import Message, Outcome
from contract.result import Result, encode_result
from contract.topology import RESULTS_EXCHANGE
from gateway.history.activity import minutes
from gateway.history.presence import Sighting, stretches
from tests.conftest import StartService
from tests.faults.patched import DIES_BEFORE_ACKNOWLEDGING, patch
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.postgres import private_postgres
from tests.helpers.processes import Service
from tests.helpers.results import result

pytestmark = pytest.mark.faults

RATE = 400
GAP = 0.5
KILLS = 2


class Load:
    """Results of ten cameras, some of which see somebody now and then; `confirmed` is on the broker's disk."""

    def __init__(self, b: Bus) -> None:
        self._bus = b
        self._numbers = itertools.count()
        self.confirmed: list[Result] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _run(self, stop: asyncio.Event) -> None:
        begun, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                while sent < (time.monotonic() - begun) * RATE:
                    group.create_task(self._send())
                    sent += 1
                await asyncio.sleep(0.01)

    async def _send(self) -> None:
        number, now = next(self._numbers), time.time()
        camera = number % 10
        there = int(now * 2) % (camera + 2) == 0  # half a second in so many halves
        expired = number % 50 == 49
        each = result(
            now,
            number % 3 + 1 if there and not expired else 0,
            camera_id=f"c{camera}",
            confidence=(number % 100) / 100,
            status="expired" if expired else "ok",
        )
        sent = await self._bus.publish(Message(RESULTS_EXCHANGE, each.camera_id, encode_result(each)))
        assert sent is Outcome.CONFIRMED
        self.confirmed.append(each)


class Books:
    """What is in the history, whatever gateway lives."""

    def __init__(self, url: str, file: Path) -> None:
        self._url = url
        self._file = file

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self._url:
            with psycopg.connect(self._url) as server:
                return server.execute(query).fetchall()
        connection = sqlite3.connect(self._file, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def stored(self) -> int:
        return int(self.rows("SELECT count(*) FROM results")[0][0])

    def check(self, confirmed: list[Result]) -> str:
        """Fails unless rows, events and minutes are exactly those of the confirmed results. Says how many."""
        frames = sorted(frame_id for (frame_id,) in self.rows("SELECT frame_id FROM results"))
        assert frames == sorted(each.frame_id for each in confirmed)
        seen = [
            Sighting(
                each.camera_id,
                each.original_timestamp,
                len(each.detections),
                each.detections[0].confidence,
                each.model,
            )
            for each in confirmed
            if each.detections
        ]
        expected = sorted(
            (camera_id, each.started, each.ended, each.frames, each.faces, each.certainty)
            for camera_id, found in stretches(seen, GAP).items()
            for each in found
        )
        events = "SELECT camera_id, started, ended, frames, faces, certainty FROM events"
        assert sorted(self.rows(events)) == expected
        by_minute = minutes((each.original_timestamp, each) for each in confirmed)
        counted = {
            (minute, camera_id): rest
            for minute, camera_id, *rest in self.rows(
                "SELECT minute, camera_id, frames, with_detections, faces, expired FROM activity"
            )
        }
        assert counted == {
            key: [each.frames, each.with_detections, each.faces, each.expired]
            for key, each in by_minute.items()
        }
        return f"{len(frames)} results, {len(expected)} events, {len(counted)} camera minutes"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_kill_9_under_load(kind: str, start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    """On PostgreSQL two gateways share the work, and each of the deaths is that of one of them."""
    if kind == "sqlite":
        await killed(Books("", tmp_path / "gateway" / "history.sqlite3"), 1, "", start, rabbitmq, tmp_path)
        return
    with private_postgres() as server:
        await killed(Books(server.url(), tmp_path), 2, server.url(), start, rabbitmq, tmp_path)


async def killed(
    books: Books, gateways: int, url: str, start: StartService, rabbitmq: str, folder: Path
) -> None:
    numbers = itertools.count()

    def gateway(**environment: str) -> Service:
        data = folder / ("gateway" if not url else f"gateway-{next(numbers)}")
        return start(
            "gateway",
            AMQP_URL=rabbitmq,
            DATABASE_URL=url,
            GATEWAY_PORT="0",
            GATEWAY_DATA_DIR=str(data),
            GATEWAY_HISTORY_GAP_SECONDS=str(GAP),
            **environment,
        )

    async with bus(rabbitmq) as b:
        load = Load(b)
        async with load.running():
            # The worst moment: the first batch is committed, and not acknowledged.
            first = gateway(**patch(folder / "dies", DIES_BEFORE_ACKNOWLEDGING))
            assert await asyncio.to_thread(first.process.wait, 30) == 9
            assert books.stored() > 0
            living = [gateway() for _ in range(gateways)]
            for _ in range(KILLS):
                before = books.stored()
                await aeventually("rows", lambda: books.stored() > before + RATE // 2)  # noqa: B023
                victim = living.pop(0)
                victim.process.kill()
                await asyncio.to_thread(victim.process.wait, 10)
                living.append(gateway())
            for service in living:
                await asyncio.to_thread(service.ready)
        await aeventually("every result stored", lambda: books.stored() >= len(load.confirmed), 30)
        recorded = [service.metric("gateway_recorded_results_total") for service in living]
        assert all(service.stop() == 0 for service in living)
    print(f"\n{1 + KILLS} gateways killed: {books.check(load.confirmed)}; by the last ones: {recorded}")
