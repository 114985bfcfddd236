"""A job whose client, worker, gateway and broker are killed with -9 is complete on the second call, its books exact."""

import asyncio
import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.helpers.broker import Broker
from tests.helpers.eventually import aeventually
from tests.helpers.jobs import Command, folder_of, lines
from tests.helpers.processes import Service

pytestmark = pytest.mark.faults

ITEMS = int(os.environ.get("BATCH_ITEMS", "400"))
"""`make batch-drill` sets 50,000."""
SECONDS = 60 + ITEMS * 0.1
BROKEN_EVERY = 100
GROWS_BY_AT_MOST = 48e6
"""Bytes of memory that a client may hold more at the end of a job than at a quarter of it, whatever the job's size."""


async def test_kill_9_of_client_worker_gateway_and_broker(tmp_path: Path, start: StartService) -> None:
    node = Broker(tmp_path / "rabbitmq", name="batch")
    await asyncio.to_thread(node.start)
    try:
        await _killed(node, tmp_path, start)
    finally:
        node.end()


async def _killed(node: RabbitMQNode, tmp_path: Path, start: StartService) -> None:
    expected = await asyncio.to_thread(folder_of, tmp_path / "in", ITEMS, broken_every=BROKEN_EVERY)
    worker = {
        "AMQP_URL": node.amqp_url,
        "WORKER_LANE": "batch",
        "WORKER_DETECTOR": "haar",
        "WORKER_BATCH_SHARE": "0.5",
    }
    output = tmp_path / "o.ndjson"
    arguments = (tmp_path / "in", "--output", output)
    victim = start("worker", NODE_ID="victim", **worker)
    gateway = _gateway(node, tmp_path, start)
    await asyncio.to_thread(victim.ready)
    first = Command(node.amqp_url, tmp_path / "jobs", *arguments)

    def settled(share: float) -> bool:
        return victim.metric("framefleet_job_item_seconds_count") >= share * ITEMS

    await aeventually("a tenth", lambda: settled(0.1), SECONDS)
    first.kill()
    assert not output.exists()
    second = Command(node.amqp_url, tmp_path / "jobs", *arguments)
    await aeventually("a quarter", lambda: settled(0.25), SECONDS)
    memory = Memory(second.process.pid)
    victim.process.kill()
    gateway.process.kill()
    gateway = _gateway(node, tmp_path, start)
    survivor = start("worker", NODE_ID="survivor", **worker)
    await aeventually(
        "the survivor works",
        lambda: survivor.metric("framefleet_job_item_seconds_count") >= 0.2 * ITEMS,
        SECONDS,
    )
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    status = await asyncio.to_thread(second.wait, SECONDS)
    grown = memory.grown()
    written = lines(output)
    by_path = {each["path"]: each for each in written}
    failed = {path for path, each in by_path.items() if each["status"] == "failed"}
    print(f"\n{ITEMS} items, client, worker, gateway and broker killed: {second.said.strip()[-2000:]}")
    print(
        f"memory of the client: {memory.begin / 1e6:.0f} MB at a quarter, {grown / 1e6:+.0f} MB at most after it"
    )
    assert status == 1
    assert by_path.keys() == expected
    assert len(written) == len(expected)
    assert {by_path[path]["reason"] for path in failed} == {"not_an_image"}
    assert len(failed) == ITEMS // BROKEN_EVERY
    assert grown < GROWS_BY_AT_MOST
    await aeventually("no gateway believes that a job runs", lambda: _heard(gateway) == 0, 30)


def _gateway(node: RabbitMQNode, folder: Path, start: StartService) -> Service:
    service = start(
        "gateway", AMQP_URL=node.amqp_url, GATEWAY_PORT="0", GATEWAY_DATA_DIR=str(folder / "gateway")
    )
    service.ready()
    return service


def _heard(gateway: Service) -> float:
    return gateway.metric('framefleet_jobs{state="running"}')


class Memory:
    """Resident memory of a process, looked at until it ends."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.begin = self._most = self._process.memory_info().rss
        self._ended = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def grown(self) -> float:
        """By how much it was ever more than at first; after the process has ended."""
        assert self._ended.wait(5)
        return self._most - self.begin

    def _look(self) -> None:
        try:
            while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
                self._most = max(self._most, self._process.memory_info().rss)
                time.sleep(0.2)
        except psutil.NoSuchProcess:
            pass
        self._ended.set()
