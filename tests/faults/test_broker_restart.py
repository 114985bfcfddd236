"""The broker stops and starts, in order and by kill -9: everybody is back within 30 s, nothing confirmed is lost."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import Consumer, Outcome
from cli.rabbitmq import USER, RabbitMQNode
from contract.topology import EphemeralQueue
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.helpers.broker import Broker
from tests.helpers.bus import Collector, bus
from tests.helpers.components import require
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.fleet import Fleet, consumers, metric

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A broker of this module's own: it is the one that gets broken."""
    require("rabbitmq-server")
    own = Broker(tmp_path_factory.mktemp("breakable"), name="breakable")
    own.start()
    yield own
    own.end()


async def test_a_broker_that_dies_finds_its_clients_again(node: RabbitMQNode) -> None:
    node.ctl("add_vhost", "empty")
    node.ctl("set_permissions", "--vhost", "empty", USER, ".*", ".*", ".*")
    got = Collector("frame_queue")
    ephemeral = Consumer(EphemeralQueue((("results", "#"),)), lambda d: None, no_ack=True)
    async with bus(f"{node.amqp_url}empty", got, ephemeral) as b:
        await b.task(b"x", message_id="before")
        await aeventually("before", lambda: len(got.deliveries) == 1)
        node.kill()
        await aeventually("noticed", lambda: not got.subscribed and not b.publisher.usable)
        assert await b.task(b"x") is Outcome.DISCONNECTED
        await asyncio.to_thread(node.start)
        await aeventually("back", lambda: got.subscribed and ephemeral.subscribed and b.publisher.usable, 30)
        assert await b.task(b"x", message_id="after") is Outcome.CONFIRMED
        await aeventually("after", lambda: got.deliveries[-1].message_id == "after")
    node.ctl("delete_vhost", "empty")


@pytest.mark.parametrize("end", [RabbitMQNode.stop, RabbitMQNode.kill], ids=["stop", "kill -9"])
async def test_broker_ends_and_starts_under_load(
    end: Callable[[RabbitMQNode], None], node: RabbitMQNode, start: StartService, tmp_path: Path
) -> None:
    fleet = Fleet(start, node.amqp_url, tmp_path)
    fleet.worker("one")
    fleet.worker("two")
    fleet.gateway()
    producer = fleet.producer()
    await fleet.ready()
    async with clerk(node.amqp_url) as books:
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20)
            await asyncio.to_thread(end, node)
            await aeventually("the clerk is told", lambda: books.books.refused["disconnected"] > 20)
            sent = await metric(producer, "producer_frames_sent_total{")
            await asyncio.to_thread(node.start)
            up = time.monotonic()
            await aeventually("the clerk is back", lambda: books.publisher.usable, 30)
            await fleet.ready(30)
            back = time.monotonic() - up
            before = len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > before + 20)

        async def sends() -> bool:
            return await metric(producer, "producer_frames_sent_total{") > sent

        await eventually_async("the producer sends", sends, up + 30 - time.monotonic())
        # The gateway's recorder consumes results beside the clerk: what it has stored is accounted for as well.
        await aeventually(
            "every confirmed frame accounted for", lambda: not books.books.open - fleet.stored(), 60
        )
        assert await consumers(node) == 2
        assert await consumers(node, queue="result_queue") == 2  # the gateway's and the clerk's
        print(
            f"\nbroker {end.__name__} and start: all back {back:.1f} s after it answers, lost 0; {books.books}"
        )
        assert back < 30
