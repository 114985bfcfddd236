"""Full queues: pressure travels back to the sources, which count what they drop; nothing confirmed is lost."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker import Outcome, QueueDepth, aio
from cli.rabbitmq import RabbitMQNode
from contract.topology import RESULT_QUEUE, TASK_QUEUE, TOPOLOGY
from tests.conftest import StartService
from tests.faults.books import Clerk
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import Fleet, metric, said, vhost_of

pytestmark = pytest.mark.faults

LIMIT = next(int(q.arguments["x-max-length"]) for q in TOPOLOGY.queues if q.name == TASK_QUEUE)


@asynccontextmanager
async def sender(url: str) -> AsyncIterator[Clerk]:
    """A clerk that does not read yet: call `reading.start()` for that."""
    opened = Clerk([url])
    opened.sending.start()
    await aeventually("the clerk's connection", lambda: opened.publisher.usable)
    try:
        yield opened
    finally:
        await aio.stop(opened.sending)
        await aio.stop(opened.reading)


async def limit(node: RabbitMQNode, url: str, queue: str, length: int) -> None:
    """Make a queue smaller than its arguments say: the lower of the two bounds counts."""
    pattern = f"^{queue.replace('.', '[.]')}$"
    definition = json.dumps({"max-length": length})
    await asyncio.to_thread(
        node.ctl,
        "set_policy",
        "-p",
        vhost_of(url),
        "--apply-to",
        "queues",
        f"small-{queue}",
        pattern,
        definition,
    )


async def test_more_frames_than_the_queue_holds_and_no_worker(start: StartService, rabbitmq: str) -> None:
    in_flight = 100
    depth = QueueDepth([TASK_QUEUE], every=0.1)
    async with sender(rabbitmq) as books, bus(rabbitmq, depth):
        captured = time.time() - 10
        deepest = 0
        for _ in range(2 + LIMIT // in_flight):
            await asyncio.gather(*(books.send(timestamp=captured) for _ in range(in_flight)))
            deepest = max(deepest, depth.messages.get(TASK_QUEUE, 0))
        await aeventually("refusals", lambda: books.books.refused)
        await aeventually("a depth", lambda: depth.messages.get(TASK_QUEUE, 0) >= len(books.books.confirmed))
        deepest = max(deepest, depth.messages[TASK_QUEUE])
        refused = books.books.refused[Outcome.REJECTED.value]
        # All are stale: the first worker records them as expired, and the queue takes frames again.
        begun_draining = time.monotonic()
        start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar")
        books.reading.start()
        settled = await books.settled()
        print(
            f"\nqueue full: depth {deepest} at a limit of {LIMIT} with {in_flight} in flight, {refused} refused; "
            f"drained {time.monotonic() - begun_draining:.1f} s after a worker was started; {settled}"
        )
        assert deepest <= LIMIT + in_flight
        assert settled.expired == settled.confirmed
        assert refused == len(settled.sent) - len(settled.confirmed)
        assert set(settled.refused) == {Outcome.REJECTED.value}
        deadline = time.monotonic() + 10
        while await books.send() is not Outcome.CONFIRMED:
            assert time.monotonic() < deadline, "the drained queue takes no frame"
        await books.settled()


async def test_a_producer_counts_what_a_full_queue_refuses(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, rabbitmq, tmp_path)
    dropped = "producer_frames_dropped_total{"
    async with sender(rabbitmq) as books:
        await limit(shared_rabbitmq, rabbitmq, TASK_QUEUE, 20)
        while await books.send() is Outcome.CONFIRMED:
            pass
        producer = fleet.producer()
        await fleet.ready()
        full = [f'{dropped}camera_id="demo-{n}",reason="queue_full"}}' for n in (1, 2)]

        async def refusals() -> float:
            return sum([await metric(producer, line) for line in full])

        deadline = time.monotonic() + 20
        while await refusals() < 4:
            assert time.monotonic() < deadline, "the producer counts no drops"
        assert await metric(producer, "producer_frames_sent_total{") == 0
        fleet.worker("one")
        books.reading.start()
        while await metric(producer, "producer_frames_sent_total{") < 10:
            assert time.monotonic() < deadline + 20, "frames do not flow again"
        settled = await books.settled()
        print(f"\nproducer on a full queue: {await refusals():.0f} drops counted; {settled}")
    assert producer.process.poll() is None


async def test_a_full_result_queue_holds_the_workers_and_fills_the_lane(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, rabbitmq, tmp_path)
    depth = QueueDepth([TASK_QUEUE, RESULT_QUEUE], every=0.1)
    async with sender(rabbitmq) as books, bus(rabbitmq, depth):
        await limit(shared_rabbitmq, rabbitmq, TASK_QUEUE, 30)
        await limit(shared_rabbitmq, rabbitmq, RESULT_QUEUE, 20)
        workers = [fleet.worker("one"), fleet.worker("two")]
        await fleet.ready()
        async with books.load(50):
            for worker in workers:
                await said(worker, "holding the frame")
            await aeventually("the lane is full", lambda: books.books.refused[Outcome.REJECTED.value] > 20)
            await aeventually("stored results", lambda: depth.messages.get(RESULT_QUEUE, 0) >= 20)
            held = dict(depth.messages)
            books.reading.start()
            reading = time.monotonic()
            before = len(books.books.confirmed)
            await aeventually("frames are taken again", lambda: len(books.books.confirmed) > before + 50)
            seconds = time.monotonic() - reading
        settled = await books.settled()
        assert all(worker.process.poll() is None for worker in workers)
    print(
        f"\nresult_queue full: depths {held}, 50 further frames taken {seconds:.1f} s after reading; {settled}"
    )
    assert held[RESULT_QUEUE] <= 22  # two workers, one result each in flight
    assert set(settled.refused) == {Outcome.REJECTED.value}
