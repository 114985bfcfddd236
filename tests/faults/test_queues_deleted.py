"""The task queue is deleted under a worker while a producer sends: the worker gets what comes after, every time."""

import asyncio
import time
from pathlib import Path

import pytest

from cli.rabbitmq import RabbitMQNode
from contract.topology import TASK_QUEUE
from tests.conftest import StartService
from tests.helpers.eventually import eventually_async
from tests.helpers.fleet import Fleet, metric, vhost_of

pytestmark = pytest.mark.faults

ROUNDS = 4


async def test_task_queue_deleted_again_and_again(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    """The producer misses it first: declared again at once, it would leave the worker a subscription to nothing."""
    fleet = Fleet(start, rabbitmq, tmp_path)
    worker = fleet.worker("one")
    fleet.producer()
    await fleet.ready()
    slowest = 0.0
    for _ in range(ROUNDS):
        await asyncio.to_thread(
            shared_rabbitmq.ctl, "delete_queue", TASK_QUEUE, "--vhost", vhost_of(rabbitmq)
        )
        deleted = time.monotonic()
        before = await metric(worker, "cv_frames_processed_total{")

        async def worked() -> bool:
            return await metric(worker, "cv_frames_processed_total{") >= before + 20  # noqa: B023

        await eventually_async("the worker gets frames", worked, deleted + 20 - time.monotonic())
        slowest = max(slowest, time.monotonic() - deleted)
    print(f"\ntask queue deleted {ROUNDS} times under load: twenty further frames within {slowest:.1f} s")
