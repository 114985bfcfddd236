"""The broker package on a real RabbitMQ: outcomes, recovery, topology."""

import asyncio
import threading

import pytest

from broker import (
    AsyncioLoop,
    Connection,
    Consumer,
    Delivery,
    Message,
    Outcome,
    Publisher,
    QueueDepth,
    ThreadLoop,
    aio,
)
from cli.rabbitmq import RabbitMQNode
from contract.topology import TOPOLOGY, EphemeralQueue, Queue, Topology
from tests.helpers.bus import Collector, bus
from tests.helpers.eventually import aeventually, eventually

pytestmark = pytest.mark.integration


async def test_the_topology_is_declared_twice_without_complaint(rabbitmq: str) -> None:
    async with bus(rabbitmq), bus(rabbitmq) as second:
        assert await second.task(b"x") is Outcome.CONFIRMED


async def test_a_queue_with_other_arguments_is_named_with_the_argument(rabbitmq: str) -> None:
    old = Topology(
        exchanges=(), queues=(Queue("frame_queue", {"x-queue-type": "quorum", "x-max-length": 7}),)
    )
    publisher = Publisher()
    connection = Connection(AsyncioLoop(), [rabbitmq], "old", [publisher], topology=old)
    connection.start()
    await aeventually("the old declaration", lambda: publisher.usable)
    await aio.stop(connection)
    said: list[str] = []
    new = Connection(AsyncioLoop(), [rabbitmq], "new", [], on_fatal=said.append)
    new.start()
    await aeventually("the mismatch", lambda: said)
    assert "'frame_queue'" in said[0]
    assert "'x-" in said[0]
    await aio.stop(new)


async def test_every_publish_has_its_outcome(rabbitmq: str) -> None:
    async with bus(rabbitmq) as b:
        messages = [Message("", "frame_queue", b"x", message_id=str(i)) for i in range(300)]
        messages[150] = Message("", "nowhere", b"x", message_id="150")
        outcomes = await asyncio.gather(*(b.publish(message) for message in messages))
    assert outcomes[150] is Outcome.UNROUTABLE
    assert {o for i, o in enumerate(outcomes) if i != 150} == {Outcome.CONFIRMED}
    assert b.publisher.outstanding == 0


async def test_a_full_queue_rejects_and_keeps_what_it_has(rabbitmq: str) -> None:
    small = Queue("small", {"x-queue-type": "quorum", "x-max-length": 5, "x-overflow": "reject-publish"})
    publisher, depth = Publisher(), QueueDepth(["small"], every=0.1)
    topology = Topology(TOPOLOGY.exchanges, (small,))
    connection = Connection(AsyncioLoop(), [rabbitmq], "small", [publisher, depth], topology=topology)
    connection.start()
    await aeventually("usable", lambda: publisher.usable)
    outcomes = [await aio.publish(publisher, Message("", "small", b"x")) for _ in range(12)]
    confirmed = outcomes.count(Outcome.CONFIRMED)
    assert set(outcomes) == {Outcome.CONFIRMED, Outcome.REJECTED}
    await aeventually("the depth is what was confirmed", lambda: depth.messages.get("small") == confirmed)
    await aio.stop(connection)


async def test_a_window_that_is_full_says_so_at_once(rabbitmq: str) -> None:
    publisher = Publisher(window=2)
    connection = Connection(AsyncioLoop(), [rabbitmq], "window", [publisher])
    connection.start()
    await aeventually("usable", lambda: publisher.usable)
    outcomes: list[Outcome] = []
    for _ in range(3):
        publisher.publish(Message("", "frame_queue", b"x"), outcomes.append)
    assert outcomes == [Outcome.BLOCKED]
    await aeventually("the others", lambda: len(outcomes) == 3)
    assert outcomes[1:] == [Outcome.CONFIRMED] * 2
    await aio.stop(connection)


async def test_unacknowledged_deliveries_come_back_and_acknowledged_ones_do_not(rabbitmq: str) -> None:
    held: list[Delivery] = []
    consumer = Consumer("frame_queue", held.append, prefetch=2)
    async with bus(rabbitmq, consumer) as b:
        for i in range(3):
            await b.task(b"x", message_id=str(i))
        await aeventually("two of three", lambda: len(held) == 2)
        assert held[0].ack()
        await aeventually("the third", lambda: len(held) == 3)
    assert not held[1].ack()  # the channel is gone: the broker delivers it again
    again = Collector("frame_queue")
    async with bus(rabbitmq, again):
        await aeventually("both again", lambda: len(again.deliveries) == 2)
    assert sorted(str(d.message_id) for d in again.deliveries) == ["1", "2"]
    assert all(d.redelivered for d in again.deliveries)


async def test_bindings_of_an_ephemeral_queue_change_while_it_is_used(rabbitmq: str) -> None:
    got: list[str] = []
    consumer = Consumer(EphemeralQueue(), lambda d: got.append(d.routing_key), no_ack=True)
    async with bus(rabbitmq, consumer) as b:
        await aeventually("subscribed", lambda: consumer.subscribed)
        consumer.bind("watch", "gate-1")

        async def send_until(wanted: Outcome) -> None:  # bindings and messages take different channels
            async with asyncio.timeout(10):
                while await b.publish(Message("watch", "gate-1", b"x", persistent=False)) is not wanted:
                    pass

        await send_until(Outcome.CONFIRMED)
        await aeventually("the message", lambda: got)
        consumer.unbind("watch", "gate-1")
        await send_until(Outcome.UNROUTABLE)
    assert set(got) == {"gate-1"}


async def test_the_second_url_serves_when_the_first_does_not(rabbitmq: str) -> None:
    publisher = Publisher()
    connection = Connection(AsyncioLoop(), ["amqp://127.0.0.1:1/", rabbitmq], "two", [publisher])
    connection.start()
    await aeventually("usable", lambda: publisher.usable)
    await aio.stop(connection)


async def test_a_wrong_password_says_so(shared_rabbitmq: RabbitMQNode) -> None:
    url = f"amqp://framefleet:wrong@127.0.0.1:{shared_rabbitmq.amqp_port}/"
    said: list[str] = []
    connection = Connection(
        AsyncioLoop(),
        [url],
        "wrong",
        on_state=lambda state, detail: said.append(detail) if state == "lost" else None,
    )
    connection.start()
    await aeventually("the reason", lambda: said)
    assert "refused the user name or password" in said[0]
    assert "wrong" not in said[0].replace("wrong password", "")
    await aio.stop(connection)


async def test_a_consumer_whose_queue_is_deleted_subscribes_again(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode
) -> None:
    got = Collector("frame_queue.batch")
    async with bus(rabbitmq, got) as b:
        await aeventually("subscribed", lambda: got.subscribed)
        vhost = rabbitmq.rsplit("/", 1)[1]
        await asyncio.to_thread(shared_rabbitmq.ctl, "delete_queue", "frame_queue.batch", "-p", vhost)
        await aeventually("cancelled", lambda: not got.subscribed)
        await aeventually("subscribed again", lambda: got.subscribed)
        assert await b.task(b"x", "frame_queue.batch") is Outcome.CONFIRMED
        await aeventually("the frame", lambda: len(got.deliveries) == 1)


async def test_a_consumer_cancelled_before_it_has_subscribed_stays_cancelled(rabbitmq: str) -> None:
    early, late = Collector("frame_queue"), Collector("frame_queue")
    async with bus(rabbitmq, early) as b:
        early.cancel(lambda: None)  # the publisher is usable: the subscription is on its way, or made
        async with bus(rabbitmq, late):
            await aeventually("the other subscribes", lambda: late.subscribed)
            for _ in range(4):  # two readers would take turns
                await b.task(b"x")
            await aeventually("the other reads all", lambda: len(late.deliveries) == 4)
    assert not early.deliveries


def test_a_connection_in_a_thread_of_its_own(rabbitmq: str) -> None:
    crashed: list[str] = []
    loop = ThreadLoop(crashed.append)
    loop.start()
    publisher = Publisher()
    got = Collector("frame_queue")
    connection = Connection(loop, [rabbitmq], "thread", [publisher, got])
    connection.start()
    eventually("ready", lambda: publisher.usable and got.subscribed)
    outcomes: list[Outcome] = []
    loop.call_soon_threadsafe(lambda: publisher.publish(Message("", "frame_queue", b"x"), outcomes.append))
    eventually(
        "confirmed and delivered", lambda: outcomes == [Outcome.CONFIRMED] and len(got.deliveries) == 1
    )
    closed = threading.Event()
    loop.call_soon_threadsafe(lambda: connection.stop(closed.set))
    assert closed.wait(5)
    loop.stop()
    assert not crashed
