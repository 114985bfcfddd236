"""Everything odd that a client may send, between good frames, to every queue that we read, while all services run.

Each message costs itself: no process ends, no connection is lost, every good frame is answered once, every odd one
becomes a result or a dead letter, and the dead letters can be listed, shown, replayed and purged.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import Consumer, Delivery, Message, Outcome
from cli.ports import free_port
from contract.result import parse_result
from contract.task import Task, TaskForm, encode_task
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue
from tests.conftest import StartService
from tests.faults.books import PICTURE
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN
from tests.helpers.odd_messages import Odd, odd_messages
from tests.helpers.raw_amqp import RawSender
from tests.helpers.tool import framefleet

pytestmark = [pytest.mark.calm, pytest.mark.faults, pytest.mark.timeout(600)]

ELSEWHERE = [
    (b"", b"result_queue"),
    (b"results", b"odd"),
    (b"watch", b"good"),
    (b"control", b""),
    (b"status", b"producer.odd"),
    (b"status", b"\xff\xfe" * 100),
]
"""Exchange and key of every other queue that services read."""


PRODUCED = "produced"
LOOK_SECONDS = 3.0
"""Between two looks of an operator; each starts a process."""


class Answers:
    """Results as they are published, by frame_id."""

    def __init__(self) -> None:
        self.by_frame: Counter[str] = Counter()
        queue = EphemeralQueue(((RESULTS_EXCHANGE, "#"),), max_length=10_000)
        self.consumer = Consumer(queue, self._received, no_ack=True)

    def _received(self, delivery: Delivery) -> None:
        with contextlib.suppress(ValueError):  # odd ones are sent here too
            result = parse_result(delivery.body)
            if result.camera_id != PRODUCED:
                self.by_frame[result.frame_id] += 1


async def send(b: Bus, raw: RawSender, messages: list[Odd], key: bytes, exchange: bytes = b"") -> list[str]:
    """The odd ones, a good frame after each; returns the good frames' ids."""
    good = []
    for odd in messages:
        assert await asyncio.to_thread(raw.publish, odd.properties, odd.body, key=key, exchange=exchange), (
            odd.name
        )
        frame_id = f"good after {odd.name}, {exchange!r} {key!r}"[:200]
        task = encode_task(
            Task(image=PICTURE, timestamp=time.time(), camera_id="good", frame_id=frame_id), TaskForm.COMPACT
        )
        message = Message("", "frame_queue", task.body, task.content_type, task.headers, message_id=frame_id)
        assert await b.publish(message) is Outcome.CONFIRMED
        good.append(frame_id)
    return good


@contextlib.asynccontextmanager
async def looked_at(url: str) -> AsyncIterator[list[int]]:
    """The dead letters are listed every few seconds while the block runs; how many there were."""
    totals: list[int] = []

    async def look() -> None:
        while True:
            said = await framefleet(url, "dlq", "list", "--json", "--limit", "3")
            assert said.status == 0, said.err
            totals.append(json.loads(said.out)["total"])
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield totals
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def test_each_costs_itself(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    patient = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    workers = [start("worker", NODE_ID=f"n-{number}", **patient) for number in (1, 2)]
    port = str(free_port())
    gateway = start(
        "gateway",
        AMQP_URL=rabbitmq,
        GATEWAY_PORT=port,
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path / "data"),
    )
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / "1.jpg").write_bytes(PICTURE)
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE=f"{PRODUCED}={tmp_path / 'footage'}")
    services = [*workers, gateway, producer]
    for service in services:
        await asyncio.to_thread(service.ready)
    answers, everything = Answers(), odd_messages(PICTURE)
    api = f"http://127.0.0.1:{port}"
    async with (
        bus(rabbitmq, answers.consumer) as b,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.ws_connect(f"{api}/ws/results?frames=1&cameras=good") as viewer,
    ):
        with RawSender(rabbitmq) as raw:
            async with looked_at(rabbitmq) as totals:
                good = await send(b, raw, everything, b"frame_queue")
                for exchange, key in ELSEWHERE:
                    good += await send(b, raw, everything[::8], key, exchange)
                await aeventually("a look", lambda: len(totals) > 1)
            # Not those that would be gone from there, or be somewhere else too, as their senders meant it.
            aside = [odd for odd in everything[::3] if not odd.name.startswith(("expires", "CC", "BCC"))]
            good += await send(b, raw, aside, b"frame_queue.dlq")
        await aeventually("every good frame", lambda: all(answers.by_frame[each] for each in good), 60)

        async def listed() -> Any:
            said = await framefleet(rabbitmq, "dlq", "list", "--json", "--limit", "20000")
            assert said.status == 0, said.err
            return json.loads(said.out)

        seen: list[Any] = []

        async def all_there() -> bool:
            seen[:] = [await listed()]
            answered = sum(count for frame, count in answers.by_frame.items() if frame not in set(good))
            return answered + int(seen[0]["total"]) == len(everything) + len(aside)

        deadline = time.monotonic() + 60
        while not await all_there():
            answered = sum(answers.by_frame.values()) - len(good)
            assert time.monotonic() < deadline, (answered, seen[0]["total"], len(everything), len(aside))
            await asyncio.sleep(LOOK_SECONDS)

        assert {frame: answers.by_frame[frame] for frame in good} == dict.fromkeys(good, 1)
        dead = seen[0]["total"]
        assert len(seen[0]["items"]) == dead
        async with http.get(f"{api}/api/dlq?limit=1000") as answer:
            assert (answer.status, (await answer.json())["total"]) == (200, dead)
        async with asyncio.timeout(10):
            assert (await viewer.receive_json())["camera_id"] == "good"

        # The tools work on all of them.
        for letter in seen[0]["items"][::40]:
            said = await framefleet(rabbitmq, "dlq", "show", letter["dead_letter_id"], "--json")
            assert said.status == 0, said.err
        said = await framefleet(rabbitmq, "dlq", "replay", "--all", "--yes", "--lane", "batch")
        assert said.status == 0, said.err
        assert f"{dead:,} replayed" in said.out
        assert (await listed())["total"] == 0

        for service in services:
            assert service.process.poll() is None
            assert service.get("/readyz")[0] == 200, service.get("/readyz")
            log = service.log.read_text()
            for trouble in (
                "channel lost",
                "broker unreachable",
                "could not be handled",
                "Traceback",
                "worker_error",
            ):
                assert trouble not in log, log[max(0, log.index(trouble) - 1_500) :][:3_000]
        for worker in workers:
            assert worker.metric("cv_publishing_voided_total") == 0

        def stored() -> set[str]:
            with contextlib.closing(sqlite3.connect(tmp_path / "data" / "history.sqlite3")) as history:
                return {frame for (frame,) in history.execute("SELECT frame_id FROM results")}

        await aeventually("the history", lambda: set(good) <= stored())
