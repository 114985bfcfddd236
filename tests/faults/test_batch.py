"""A job whose client, worker and broker are killed with -9 is complete on the second call, and its books are exact."""

import asyncio
import os
from pathlib import Path

import pytest

from cli.rabbitmq import RabbitMQNode
from tests.conftest import StartService
from tests.helpers.eventually import aeventually
from tests.helpers.jobs import Command, folder_of, lines

pytestmark = pytest.mark.faults

ITEMS = int(os.environ.get("BATCH_ITEMS", "400"))
"""`make batch-drill` sets 50,000."""
SECONDS = 60 + ITEMS * 0.1
BROKEN_EVERY = 100


async def test_kill_9_of_client_worker_and_broker(tmp_path: Path, start: StartService) -> None:
    node = RabbitMQNode(tmp_path / "rabbitmq", name="batch")
    await asyncio.to_thread(node.start)
    try:
        await _killed(node, tmp_path, start)
    finally:
        node.stop()


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
    await asyncio.to_thread(victim.ready)
    first = Command(node.amqp_url, tmp_path / "jobs", *arguments)

    def settled(service: object, share: float) -> bool:
        return victim.metric("framefleet_job_item_seconds_count") >= share * ITEMS

    await aeventually("a tenth", lambda: settled(victim, 0.1), SECONDS)
    first.kill()
    assert not output.exists()
    second = Command(node.amqp_url, tmp_path / "jobs", *arguments)
    await aeventually("a quarter", lambda: settled(victim, 0.25), SECONDS)
    victim.process.kill()
    survivor = start("worker", NODE_ID="survivor", **worker)
    await aeventually(
        "the survivor works",
        lambda: survivor.metric("framefleet_job_item_seconds_count") >= 0.2 * ITEMS,
        SECONDS,
    )
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    status = await asyncio.to_thread(second.wait, SECONDS)
    written = lines(output)
    by_path = {each["path"]: each for each in written}
    failed = {path for path, each in by_path.items() if each["status"] == "failed"}
    print(f"\n{ITEMS} items, client, worker and broker killed: {second.said.strip()}")
    assert status == 1
    assert by_path.keys() == expected
    assert len(written) == len(expected)
    assert {by_path[path]["reason"] for path in failed} == {"not_an_image"}
    assert len(failed) == ITEMS // BROKEN_EVERY
