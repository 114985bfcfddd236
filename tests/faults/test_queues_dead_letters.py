"""The dead-letter queue is full, or somebody has deleted it: cameras go on, and no dead letter is lost for that."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from broker import Consumer
from cli.rabbitmq import RabbitMQNode
from contract.topology import DEAD_LETTER_QUEUE
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.faults.pausing import pause
from tests.faults.test_queues_full import limit
from tests.helpers.bus import bus, dead_letters
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import Fleet, vhost_of

pytestmark = pytest.mark.faults

POISON = b"\xff\xd8\xff not a JPEG"


async def test_full_it_drops_its_oldest_and_cameras_go_on(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, rabbitmq, tmp_path)
    worker = fleet.worker("one")
    await fleet.ready()
    await limit(shared_rabbitmq, rabbitmq, DEAD_LETTER_QUEUE, 5)
    failed = 'cv_frames_failed_total{node_id="one",reason="not_an_image"}'
    async with clerk(rabbitmq) as books:
        cancelled = asyncio.Event()
        books.dead.cancel(cancelled.set)  # nobody reads the dead letters for now
        await cancelled.wait()
        async with books.load(50):
            for number in range(30):
                await books.send(POISON, frame_id=f"poison-{number:02}")
            await aeventually("all dead-lettered", lambda: worker.metric(failed) == 30)
            before = len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20)
        await aeventually("depth", lambda: books.depth.messages.get(DEAD_LETTER_QUEUE) == 5)
        letters = dead_letters()
        async with bus(rabbitmq, letters):
            await aeventually("the newest", lambda: len(letters.deliveries) == 5)
        kept = [str(delivery.message_id) for delivery in letters.deliveries]
        # The one stated exception: the oldest dead letters give way, and the worker has counted all thirty.
        books.books.confirmed -= {f"poison-{number:02}" for number in range(25)}
        books.books.dead.update(kept)
        settled = await books.settled()
    print(f"\ndead-letter queue full at 5: kept {kept} of 30, counted {worker.metric(failed):.0f}; {settled}")
    assert kept == [f"poison-{number}" for number in range(25, 30)]
    assert not settled.refused


async def test_missing_it_is_declared_again_and_nothing_is_lost(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, rabbitmq, tmp_path)
    worker = fleet.worker("one")
    await fleet.ready()
    async with clerk(rabbitmq) as books:
        async with books.load(30):

            async def poison(first: int) -> None:
                for number in range(first, first + 20):
                    await books.send(POISON, frame_id=f"poison-{number}")

            await poison(0)
            await aeventually("dead letters", lambda: len(books.books.dead) == 20)
            # What is in a queue goes with it, and nobody but the worker shall repair it: it is empty, and unwatched.
            books.depth._queues.remove(DEAD_LETTER_QUEUE)
            cancelled = asyncio.Event()
            books.dead.cancel(cancelled.set)
            await cancelled.wait()
            await pause(worker)
            await poison(20)
            await asyncio.to_thread(
                shared_rabbitmq.ctl, "delete_queue", DEAD_LETTER_QUEUE, "--vhost", vhost_of(rabbitmq)
            )
            worker.process.send_signal(signal.SIGCONT)
            begun = time.monotonic()
            await aeventually("the worker misses it", lambda: "unroutable" in worker.log.read_text())
            before = len(books.books.results)
            await poison(40)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20)
            seconds = time.monotonic() - begun
        async with bus(rabbitmq, Consumer(DEAD_LETTER_QUEUE, books._dead)):
            settled = await books.settled()
    print(f"\ndead-letter queue deleted: repaired and going on within {seconds:.1f} s; {settled}")
    assert settled.reasons == {"not_an_image": 60}


async def test_deleted_under_a_reader_it_is_read_on(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    """RabbitMQ may not cancel the consumers of a queue that is back at once, and sends them nothing: they notice.

    The stated exception: what RabbitMQ confirms into a queue while it goes and comes back may go with it. So dead
    letters of that moment may be missing, though each was counted, and nothing else: no result, no later dead letter.
    """
    fleet, rounds = Fleet(start, rabbitmq, tmp_path), 4
    worker = fleet.worker("one")
    await fleet.ready()
    moment: set[str] = set()
    late: set[str] = set()
    async with clerk(rabbitmq) as books:

        async def poison(frame_id: str, names: set[str]) -> None:
            names.add(frame_id)
            await books.send(POISON, frame_id=frame_id)

        async with books.load(30):
            for number in range(rounds):
                await asyncio.to_thread(
                    shared_rabbitmq.ctl, "delete_queue", DEAD_LETTER_QUEUE, "--vhost", vhost_of(rabbitmq)
                )
                for one in range(5):
                    await poison(f"moment-{number}-{one}", moment)
                deadline, read = time.monotonic() + 30, len(books.books.dead)
                while len(books.books.dead) == read:
                    assert time.monotonic() < deadline, f"not read on; {books.books}; {books.depth.messages}"
                    await poison(f"probe-{number}-{len(moment)}", moment)
                    await asyncio.sleep(0.5)
                for one in range(5):
                    await poison(f"late-{number}-{one}", late)
                await aeventually("every later dead letter", lambda: late <= books.books.dead.keys())
        gone = moment - books.books.dead.keys()
        books.books.confirmed -= gone
        settled = await books.settled()
    print(f"\ndead-letter queue deleted {rounds} times under its reader: {len(gone)} gone with it; {settled}")
    failed = 'cv_frames_failed_total{node_id="one",reason="not_an_image"}'
    worker.counts(failed, len(moment | late))
    assert settled.dead.keys() <= moment | late
