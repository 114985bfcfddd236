"""Somebody consumes a queue of ours, on a real broker: the gateway counts it, and takes none of its own kind for it."""

import contextlib
from pathlib import Path

import pytest

from broker import AsyncioLoop, Connection, Consumer, aio
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TASK_QUEUE
from gateway.service import Gateway
from tests.conftest import StartService
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import running_gateway

pytestmark = pytest.mark.integration


QUEUES = (RESULT_QUEUE, TASK_QUEUE, DEAD_LETTER_QUEUE)


def foreign(gateway: Gateway) -> list[float | None]:
    value = gateway.metrics.registry.get_sample_value
    return [value("gateway_queue_foreign_consumers", {"queue": queue}) for queue in QUEUES]


async def test_who_takes_what_is_not_theirs_is_counted(
    rabbitmq: str, tmp_path: Path, start: StartService
) -> None:
    start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar").ready()
    async with contextlib.AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                running_gateway(tmp_path / name, amqp_url=rabbitmq, node_name=name)
            )
            for name in ("one", "two")
        ]
        both = (first, second)
        await aeventually(
            "both consume the results", lambda: first.queues.depth.consumers.get(RESULT_QUEUE) == 2
        )
        await aeventually("nobody is foreign", lambda: all(foreign(g) == [0, 0, 0] for g in both))
        consumers = [Consumer(queue, lambda delivery: None, prefetch=1) for queue in QUEUES]
        connection = Connection(AsyncioLoop(), [rabbitmq], "tutorial", consumers)
        connection.start()
        await aeventually("they are seen", lambda: all(foreign(g) == [1, 1, 1] for g in both))
        await aio.stop(connection)
        await aeventually("they are gone", lambda: all(foreign(g) == [0, 0, 0] for g in both))
