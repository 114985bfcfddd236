"""What an operator may do to a running system: close every connection, delete a queue that is in use."""

import asyncio
import time
from pathlib import Path

import pytest

from broker import AsyncioLoop, Connection, Consumer, aio
from cli.rabbitmq import RabbitMQNode
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue
from tests.conftest import StartService
from tests.faults.books import PICTURE, clerk
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.fleet import Fleet, consumers, vhost_of
from tests.helpers.images import task

pytestmark = pytest.mark.faults


async def test_every_connection_closed_again_and_again(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet, vhost = Fleet(start, rabbitmq, tmp_path), vhost_of(rabbitmq)
    fleet.worker("one")
    fleet.worker("two")
    await fleet.ready()
    slowest = 0.0
    async with clerk(rabbitmq) as books:
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20)
            for _ in range(4):
                await asyncio.to_thread(
                    shared_rabbitmq.ctl, "close_all_connections", "--vhost", vhost, "a fault test"
                )
                begun, wanted = time.monotonic(), len(books.books.results) + 20
                await aeventually("results go on", lambda: len(books.books.results) > wanted, 30)  # noqa: B023
                await fleet.ready(30)
                slowest = max(slowest, time.monotonic() - begun)
        settled = await books.settled()
        assert await consumers(shared_rabbitmq, vhost) == 2
        print(
            f"\nconnections closed 4 times: results and all services back within {slowest:.1f} s; {settled}"
        )


async def test_task_queue_deleted_under_its_consumers(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    """Frames inside the deleted queue go with it: the operator's own doing, and the stated exception."""
    fleet, vhost = Fleet(start, rabbitmq, tmp_path), vhost_of(rabbitmq)
    fleet.worker("one")
    fleet.worker("two")
    await fleet.ready()
    async with clerk(rabbitmq) as books:
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20)
            await asyncio.to_thread(shared_rabbitmq.ctl, "delete_queue", "frame_queue", "--vhost", vhost)
            begun, before = time.monotonic(), len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20, 30)
            seconds = time.monotonic() - begun
            await fleet.ready(30)
            inside, books.books.confirmed = books.books.open, set()
            await aeventually("more frames", lambda: len(books.books.confirmed) > 50)
        settled = await books.settled()
        assert await consumers(shared_rabbitmq, vhost) == 2
        gone = len(inside - settled.results.keys())
        assert gone < 50  # a second's worth: those in the queue when it was deleted
        print(f"\nframe_queue deleted: results after {seconds:.1f} s, {gone} frames went with it; {settled}")


async def test_result_queue_deleted_while_others_still_listen(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    """A gateway's queue still takes the results, so publishing says nothing: the worker looks after it by itself."""
    fleet, vhost = Fleet(start, rabbitmq, tmp_path), vhost_of(rabbitmq)
    fleet.worker("one")
    await fleet.ready()
    live: list[bytes] = []
    listener = Consumer(
        EphemeralQueue(((RESULTS_EXCHANGE, "#"),)), lambda delivery: live.append(delivery.body), no_ack=True
    )
    gateway = Connection(AsyncioLoop(), [rabbitmq], "a gateway", [listener])
    gateway.start()
    await aeventually("the listener", lambda: listener.subscribed)
    async with bus(rabbitmq) as sender:
        await asyncio.to_thread(shared_rabbitmq.ctl, "delete_queue", "result_queue", "--vhost", vhost)
        begun = time.monotonic()
        await sender.task(task(PICTURE))
        await aeventually("the result, live", lambda: live)

        async def there() -> bool:
            listed = ("list_queues", "--vhost", vhost, "--no-table-headers", "name")
            return "result_queue" in await asyncio.to_thread(shared_rabbitmq.ctl, *listed)

        await eventually_async("result_queue is declared again", there, begun + 25 - time.monotonic())
        print(f"\nresult_queue deleted: there again after {time.monotonic() - begun:.1f} s")
    await aio.stop(gateway)
