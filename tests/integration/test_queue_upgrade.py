"""`framefleet queues upgrade` on a real RabbitMQ: new arguments, the same messages, whatever happens in between."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pika
import pytest

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, aio
from broker.drain import Drain
from broker.errors import Busy, NoSuchQueue
from broker.session import session
from cli.rabbitmq import RabbitMQNode
from contract.senders import Sender
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TOPOLOGY, Lane, Queue, Topology
from gateway.senders.file import put_sender
from tests.helpers.bus import Collector, bus
from tests.helpers.eventually import aeventually
from tests.helpers.fleet import vhost_of
from tests.helpers.tool import Tool, begin, framefleet
from worker.intake import Intake

pytestmark = pytest.mark.integration

CURRENT = {queue.name: queue for queue in TOPOLOGY.queues}
ASIDE = "frame_queue.upgrade"
OLD_LANE = Queue("frame_queue", {"x-queue-type": "quorum", "x-max-length": 4_000, "x-delivery-limit": 5})


@asynccontextmanager
async def old_version(url: str, *queues: Queue) -> AsyncIterator[Publisher]:
    """A publisher of a version that declares other arguments; the rest is as in this one."""
    changed = {queue.name: queue for queue in queues}
    old = Topology(TOPOLOGY.exchanges, tuple(changed.get(q.name, q) for q in TOPOLOGY.queues))
    publisher = Publisher(window=100_000)
    connection = Connection(AsyncioLoop(), [url], "old", [publisher], topology=old)
    connection.start()
    await aeventually("the old version", lambda: publisher.usable)
    try:
        yield publisher
    finally:
        await aio.stop(connection)


async def fill(publisher: Publisher, queue: str, numbers: Sequence[int], body: bytes = b"x") -> None:
    outcomes: list[Outcome] = []
    for number in numbers:
        message = Message(
            "",
            queue,
            b"%d %s" % (number, body),
            content_type="image/jpeg",
            headers={"number": number, "camera_id": "gate-1", "nested": {"a": [1, "b"]}},
            message_id=f"f-{number}",
            correlation_id=f"c-{number}",
            reply_to="answers",
            app_id="producer-1",
        )
        publisher.publish(message, outcomes.append)
    await aeventually("all confirmed", lambda: len(outcomes) == len(numbers))
    assert set(outcomes) == {Outcome.CONFIRMED}


async def take_all(url: str, queue: str, names: set[str]) -> list[Delivery]:
    """Consume until all of `names` are there (the declaration with this version's arguments is part of it)."""
    collector = Collector(queue)
    async with bus(url, collector):
        await aeventually(
            f"every message in {queue}", lambda: {str(d.message_id) for d in collector.deliveries} >= names
        )
    return collector.deliveries


async def counts(url: str, *queues: str) -> list[int | None]:
    found: list[int | None] = []
    async with session([url], "count") as connection:
        for queue in queues:
            try:
                found.append((await connection.count(queue))[0])
            except NoSuchQueue:
                found.append(None)
    return found


async def test_check_names_every_difference_and_changes_nothing(rabbitmq: str) -> None:
    nothing = await framefleet(rabbitmq, "queues", "check")
    assert (nothing.status, nothing.out.count("not there yet")) == (0, len(TOPOLOGY.queues))
    assert await counts(rabbitmq, "frame_queue") == [None]
    dlq = Queue(DEAD_LETTER_QUEUE, dict(CURRENT[DEAD_LETTER_QUEUE].arguments) | {"x-max-length": 9})
    async with old_version(rabbitmq, OLD_LANE, dlq):
        pass
    said = await framefleet(rabbitmq, "queues", "check")
    assert said.status == 1
    for line in (
        "x-max-length: is 4000, should be 5000",
        "x-max-length-bytes: is not set, should be 536870912",
        "x-overflow: is not set, should be reject-publish",
        "x-dead-letter-routing-key: is not set, should be frame_queue.dlq",
        "x-max-length: is 9, should be 10000",
    ):
        assert line in said.out
    assert "x-delivery-limit" not in said.out
    again = await framefleet(rabbitmq, "queues", "check")
    assert again == said


async def test_the_queues_of_senders_go_along(rabbitmq: str, tmp_path: Path) -> None:
    here = {"GATEWAY_DATA_DIR": str(tmp_path)}
    school = Sender(name="school")
    for each in (school, Sender(name="elsewhere")):
        put_sender(tmp_path / "senders.json", each)
    lane = school.queue(Lane.LIVE)
    old = [
        replace(queue, arguments=dict(queue.arguments) | {"x-max-length": 9}) if queue.name == lane else queue
        for queue in school.queues
    ]
    async with (
        bus(rabbitmq) as sender,
        session([rabbitmq], "old") as connection,
        connection.channel() as channel,
    ):
        for exchange in school.topology.exchanges:
            await channel.declare_exchange(exchange)
        for queue in old:
            await channel.declare(queue)
        assert await sender.task(b"frame", lane) is Outcome.CONFIRMED
    said = await framefleet(rabbitmq, "queues", "check", settings=here)
    assert (said.status, "x-max-length: is 9, should be 200" in said.out) == (1, True), said
    assert "elsewhere" not in said.out
    upgraded = await framefleet(rabbitmq, "queues", "upgrade", "--yes", settings=here)
    assert (upgraded.status, f"{lane}: recreated with its 1 messages" in upgraded.out) == (0, True), upgraded
    async with bus(rabbitmq) as sender:
        message = Message(school.exchange, lane, b"another")
        assert await sender.publish(message) is Outcome.CONFIRMED
    assert await counts(rabbitmq, lane) == [2]
    (tmp_path / "senders.json").write_text("{")
    without = await framefleet(rabbitmq, "queues", "check", settings=here)
    assert (without.status, "the queues of senders are left out: " in without.err) == (0, True), without


async def test_a_fleet_that_is_up_to_date_is_left_alone(rabbitmq: str) -> None:
    async with bus(rabbitmq):
        pass
    for action in (["check"], ["upgrade", "--yes"]):
        said = await framefleet(rabbitmq, "queues", *action)
        assert (said.status, "all queues are as they should be" in said.out) == (0, True), said


async def test_every_message_is_there_afterwards_once_and_intact(rabbitmq: str) -> None:
    count = 1_000
    async with old_version(rabbitmq, OLD_LANE) as publisher:
        await fill(publisher, "frame_queue", range(count))
        _odd_message(rabbitmq)
    asked = await framefleet(rabbitmq, "queues", "upgrade")
    assert (asked.status, "--yes" in asked.err) == (1, True)
    dry = await framefleet(rabbitmq, "queues", "upgrade", "--dry-run")
    assert (dry.status, "nothing was changed" in dry.out) == (0, True)
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert (said.status, f"frame_queue: recreated with its {count + 1:,} messages" in said.out) == (
        0,
        True,
    ), said
    assert (await framefleet(rabbitmq, "queues", "check")).status == 0
    assert await counts(rabbitmq, "frame_queue", ASIDE) == [count + 1, None]
    got = await take_all(rabbitmq, "frame_queue", {"odd"})
    assert [d.message_id for d in got] == [*(f"f-{n}" for n in range(count)), "odd"]
    for number, each in enumerate(got[:-1]):
        assert each.body == b"%d x" % number
        assert dict(each.headers) == {"number": number, "camera_id": "gate-1", "nested": {"a": [1, "b"]}}
        assert (each.content_type, each.correlation_id, each.reply_to, each.app_id) == (
            "image/jpeg",
            f"c-{number}",
            "answers",
            "producer-1",
        )
    odd = got[-1].properties
    assert (odd.priority, odd.type, odd.delivery_mode, odd.content_encoding, odd.cluster_id) == (
        3,
        "frame",
        2,
        "identity",
        "here",
    )
    assert odd.timestamp == 1_795_216_000
    assert odd.headers == {
        "when": 1_795_222_800,
        "raw": b"\x00\xff",
        "none": None,
    }


def _send(url: str, expirations: dict[str, str | None]) -> None:
    """Messages of a plain client, by their message_id."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    for name, expiration in expirations.items():
        properties = pika.BasicProperties(message_id=name, expiration=expiration, delivery_mode=2)
        connection.channel().basic_publish("", "frame_queue", b"x", properties)
    connection.close()


def _odd_message(url: str) -> None:
    """A foreign client's, with every property that AMQP has."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    properties = pika.BasicProperties(
        content_type="image/png",
        content_encoding="identity",
        headers={"when": datetime(2026, 11, 21, 1, 0, 0, tzinfo=UTC), "raw": b"\x00\xff", "none": None},
        delivery_mode=2,
        priority=3,
        message_id="odd",
        timestamp=1_795_216_000,
        type="frame",
        user_id="framefleet",
        cluster_id="here",
    )
    connection.channel().basic_publish("", "frame_queue", b"odd", properties)
    connection.close()


async def test_moving_starts_no_clock(rabbitmq: str) -> None:
    """A sender's time to live would run while nobody computes: set aside, where nobody hears of its end, and back."""
    async with old_version(rabbitmq, OLD_LANE):
        _send(rabbitmq, {"short": "20000", "none": None, "long": "60000"})
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert (said.status, "frame_queue: recreated with its 3 messages" in said.out) == (0, True), said
    got = await take_all(rabbitmq, "frame_queue", {"short", "none", "long"})
    assert [d.properties.expiration for d in got] == [None, None, None]


@pytest.mark.parametrize(("matched", "moved"), [("frame_queue[.]upgrade", 0), ("frame_queue", 3)])
async def test_a_move_that_ends_with_fewer_says_so(
    shared_rabbitmq: RabbitMQNode, rabbitmq: str, matched: str, moved: int
) -> None:
    """An operator's policy with a time to live is stronger than a queue without one."""
    async with old_version(rabbitmq, OLD_LANE):
        _send(rabbitmq, dict.fromkeys("abc"))
    policy = ("set_policy", "-p", vhost_of(rabbitmq), "short", f"^{matched}$", '{"message-ttl": 1}')
    await asyncio.to_thread(shared_rabbitmq.ctl, *policy)
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert (said.status, "3 messages fewer than before" in said.err) == (1, True), said
    assert f"frame_queue: recreated with its {moved} messages" in said.out
    assert f"3 were confirmed into {matched.replace('[.]', '.')} and are gone from it" in said.err


async def test_killed_in_the_middle_and_run_again_nothing_is_lost(rabbitmq: str) -> None:
    count = 4_000
    names = {f"f-{number}" for number in range(count)}
    async with old_version(rabbitmq, OLD_LANE) as publisher:
        await fill(publisher, "frame_queue", range(count), b"y" * 2_000)
    kills = []
    # Once while messages are set aside, once while they are moved back, once more just as it begins again.
    for source, target in (("frame_queue", ASIDE), (ASIDE, "frame_queue"), (ASIDE, "frame_queue")):
        tool = begin(rabbitmq, "queues", "upgrade", "--yes")
        await _moving(rabbitmq, source, target, tool)
        tool.kill()
        kills.append(await counts(rabbitmq, "frame_queue", ASIDE))
    check = await framefleet(rabbitmq, "queues", "check")
    assert (check.status, "an upgrade was interrupted" in check.out) == (1, True)
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert said.status == 0, said.err
    assert await counts(rabbitmq, ASIDE) == [None]
    got = await take_all(rabbitmq, "frame_queue", names)
    assert {str(d.message_id) for d in got} == names
    print(f"\nqueue upgrade killed three times at {kills}: lost 0 of {count}, twice there {len(got) - count}")


async def _moving(url: str, source: str, target: str, tool: Tool) -> None:
    """Wait until messages are on their way from `source` to `target`."""
    async with session([url], "watch") as connection, asyncio.timeout(40):
        before = None
        while tool.process.poll() is None:
            with contextlib.suppress(NoSuchQueue):
                now = (await connection.count(target))[0]
                source_there = (await connection.count(source))[0] > 0
                if before is not None and now > before and source_there:
                    return
                before = now if before is None or now < before else before
            await asyncio.sleep(0)
    raise AssertionError("the upgrade ended before it could be killed")


async def test_results_that_arrive_meanwhile_are_kept(rabbitmq: str) -> None:
    old = Queue(
        RESULT_QUEUE,
        dict(CURRENT[RESULT_QUEUE].arguments) | {"x-max-length": 500_000},
        CURRENT[RESULT_QUEUE].bindings,
    )
    async with old_version(rabbitmq, old) as publisher:
        await fill(publisher, RESULT_QUEUE, range(300))
        tool = begin(rabbitmq, "queues", "upgrade", "--yes")
        confirmed: set[str] = set()
        for number in itertools.count():
            if tool.process.poll() is not None:
                break
            message = Message("results", "gate-1", b"r", message_id=f"r-{number}")
            if await aio.publish(publisher, message) is Outcome.CONFIRMED:
                confirmed.add(f"r-{number}")
            await asyncio.sleep(0.005)
    assert tool.wait().status == 0
    got = await take_all(rabbitmq, RESULT_QUEUE, confirmed | {f"f-{n}" for n in range(300)})
    twice = len(got) - len({d.message_id for d in got})
    print(f"\n{len(confirmed)} results published during an upgrade: lost 0, twice there {twice}")


async def test_a_queue_in_use_is_not_touched(rabbitmq: str) -> None:
    held: list[Delivery] = []
    async with old_version(rabbitmq, OLD_LANE) as publisher:
        await fill(publisher, "frame_queue", range(3))
    consumer = Consumer("frame_queue", held.append, prefetch=1)
    nothing = Topology((), ())
    connection = Connection(AsyncioLoop(), [rabbitmq], "worker", [consumer], topology=nothing)
    connection.start()
    await aeventually("a frame in a worker's hands", lambda: held)
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert (said.status, "frame_queue has 1 consumers" in said.err) == (1, True)
    await aio.stop(connection)
    assert await counts(rabbitmq, "frame_queue", ASIDE) == [3, None]


async def test_a_consumer_that_comes_later_keeps_what_it_holds(rabbitmq: str) -> None:
    held: list[Delivery] = []
    async with old_version(rabbitmq, OLD_LANE) as publisher:
        await fill(publisher, "frame_queue", range(2))
    connection = Connection(
        AsyncioLoop(),
        [rabbitmq],
        "worker",
        [Consumer("frame_queue", held.append, prefetch=1)],
        topology=Topology((), (Queue(ASIDE, {"x-queue-type": "quorum"}),)),
    )
    connection.start()
    await aeventually("a frame in a worker's hands", lambda: held)
    async with session([rabbitmq], "a") as moving, session([rabbitmq], "b") as publishing:
        with pytest.raises(Busy, match="has another consumer"):
            await Drain(moving, await publishing.publisher(), "frame_queue", ASIDE).run()
    assert held[0].requeue()
    await aio.stop(connection)
    old, aside = await counts(rabbitmq, "frame_queue", ASIDE)
    assert (old, aside) == (1, 1)


async def test_a_queue_that_somebody_goes_on_publishing_to_is_not_deleted(
    rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.drain.PATIENCE_SECONDS", 1.0)
    async with old_version(rabbitmq, OLD_LANE) as publisher:
        stop = asyncio.Event()
        names: set[str] = set()

        async def send() -> None:
            for number in itertools.count():
                if stop.is_set():
                    return
                message = Message("", "frame_queue", b"x", message_id=str(number))
                assert await aio.publish(publisher, message) is Outcome.CONFIRMED
                names.add(str(number))
                await asyncio.sleep(0.01)

        sending = asyncio.create_task(send())
        async with session([rabbitmq], "a") as moving, session([rabbitmq], "b") as publishing:
            async with moving.channel() as channel:
                await channel.declare(Queue(ASIDE, {"x-queue-type": "quorum"}))
            drain = Drain(moving, await publishing.publisher(), "frame_queue", ASIDE)
            with pytest.raises(Busy, match="goes on publishing to frame_queue"):
                await drain.run()
        stop.set()
        await sending
    old, aside = await counts(rabbitmq, "frame_queue", ASIDE)
    assert old is not None
    assert old + (aside or 0) >= len(names)


async def test_what_does_not_fit_the_new_bounds_stays_set_aside(rabbitmq: str) -> None:
    bigger = dict(CURRENT[DEAD_LETTER_QUEUE].arguments) | {"x-max-length": 20_000}
    extra = 50
    async with old_version(rabbitmq, Queue(DEAD_LETTER_QUEUE, bigger)) as publisher:
        await fill(publisher, DEAD_LETTER_QUEUE, range(10_000 + extra))
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert (said.status, f"{extra} messages wait in {DEAD_LETTER_QUEUE}.upgrade" in said.err) == (1, True), (
        said
    )
    assert await counts(rabbitmq, DEAD_LETTER_QUEUE) == [10_000]
    purged = await framefleet(rabbitmq, "dlq", "purge", "--limit", str(extra), "--yes")
    assert purged.status == 0, purged.err
    said = await framefleet(rabbitmq, "queues", "upgrade", "--yes")
    assert said.status == 0, said.err
    assert await counts(rabbitmq, DEAD_LETTER_QUEUE, f"{DEAD_LETTER_QUEUE}.upgrade") == [10_000, None]


async def test_a_further_attempt_stays_one_and_nothing_else_becomes_one(rabbitmq: str) -> None:
    """Workers know it by the exchange that it came by, which a client cannot write to."""
    old = Queue(OLD_LANE.name, OLD_LANE.arguments, CURRENT[OLD_LANE.name].bindings)
    async with old_version(rabbitmq, old) as publisher:
        for exchange in ("retry", "tasks", ""):
            name, headers = exchange or "default", {"x-framefleet-attempts": 1}
            message = Message(exchange, "frame_queue", b"x", headers=headers, message_id=name)
            assert await aio.publish(publisher, message) is Outcome.CONFIRMED
    assert (await framefleet(rabbitmq, "queues", "upgrade", "--yes")).status == 0
    got = await take_all(rabbitmq, "frame_queue", {"retry", "tasks", "default"})
    tried = {each.message_id: Intake(Lane.LIVE).tried(each) for each in got}
    assert tried == {"retry": 1, "tasks": 0, "default": 0}
