"""Queues that are down, as the link's parts meet them: who suspects, who waits, who goes on. No broker."""

import asyncio
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from pika.exceptions import ConnectionClosedByBroker
from pika.spec import Basic
from structlog.testing import capture_logs

from broker import Consumer, Message, Outcome, Publisher
from broker import faults as module
from broker.errors import Unreachable
from broker.faults import INTERNAL_ERROR, NONE_WORKS, QueueFaults, sentences
from contract.topology import RESULT_QUEUE, RESULTS_EXCHANGE, RETRY_EXCHANGE, TASK_QUEUE
from tests.helpers.eventually import aeventually

WHY = "INTERNAL_ERROR - Cannot get a message from quorum queue 'frame_queue'"


class Clinic:
    """Finds what the test says; `looks` are the queues that were looked at, one list for each look."""

    def __init__(self) -> None:
        self.sick: dict[str, str] = {}
        self.away = False
        self.looks: list[list[str]] = []

    async def find(self, queues: Iterable[str], found: Callable[[str, str | None], None]) -> None:
        self.looks.append(list(queues))
        await asyncio.sleep(0)
        if self.away:
            raise Unreachable("nobody answers")
        for queue in self.looks[-1]:
            found(queue, self.sick.get(queue))


@pytest.fixture
def clinic(monkeypatch: pytest.MonkeyPatch) -> Clinic:
    monkeypatch.setattr(module, "compute_backoff", lambda attempt, **_limits: 0.001)
    return Clinic()


async def stopped(faults: QueueFaults) -> None:
    over = asyncio.Event()
    faults.stop(over.set)
    await asyncio.wait_for(over.wait(), 1)


async def test_a_suspect_is_looked_at_until_it_is_well(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    judged: list[bool] = []
    faults.follow(TASK_QUEUE, judged.append)
    clinic.sick = {TASK_QUEUE: WHY}
    with capture_logs() as logs:
        faults.suspect(TASK_QUEUE, RESULT_QUEUE)
        await aeventually("it is down", lambda: len(clinic.looks) > 3)
        assert faults.down == {TASK_QUEUE: WHY}
        assert clinic.looks[0] == [TASK_QUEUE, RESULT_QUEUE]
        assert clinic.looks[1] == [TASK_QUEUE], "the other one was well"
        assert faults.suspects(TASK_QUEUE)
        assert not faults.suspects(RESULT_QUEUE)
        clinic.away = True  # nobody can say: it stays as it is
        looks = len(clinic.looks)
        await aeventually("it goes on looking", lambda: len(clinic.looks) > looks + 2)
        assert faults.down == {TASK_QUEUE: WHY}
        clinic.away, clinic.sick = False, {}
        await aeventually("it is well", lambda: not faults.suspects(TASK_QUEUE))
    assert faults.down == {}
    assert judged[0] is False
    assert judged[-1] is True
    assert [line["event"] for line in logs] == [
        "a queue is down: RabbitMQ has it and cannot use it",
        "a queue works again",
    ], "told once, however often it is looked at"
    await stopped(faults)


async def test_a_queue_that_was_found_well_is_left_alone_for_a_while(clinic: Clinic) -> None:
    """A full queue is suspected with every refusal."""
    faults = QueueFaults(clinic.find)
    for _ in range(5):
        faults.suspect(TASK_QUEUE)
        await asyncio.sleep(0.005)
    assert clinic.looks == [[TASK_QUEUE]]


OF_SCHOOL = "frame_queue.from.school"


async def test_what_nobody_follows_any_more_is_forgotten(clinic: Clinic) -> None:
    """A sender is removed while its queue is down: it would be looked at, and told of, for ever."""
    faults = QueueFaults(clinic.find)
    judged: list[bool] = []
    faults.follow(OF_SCHOOL, judged.append)
    faults.follow(TASK_QUEUE, judged.append)
    clinic.sick = {TASK_QUEUE: WHY, OF_SCHOOL: WHY}
    faults.suspect(TASK_QUEUE, OF_SCHOOL)
    await aeventually("both are down", lambda: set(faults.down) == {TASK_QUEUE, OF_SCHOOL})
    assert faults.shared == {TASK_QUEUE: WHY}, "the others need nothing of a sender's own"
    faults.unfollow(OF_SCHOOL, judged.append)
    faults.unfollow(TASK_QUEUE, judged.append)
    assert set(faults.down) == {TASK_QUEUE}, "everybody needs that one"
    judged.clear()
    looks = len(clinic.looks)
    await aeventually("the next looks", lambda: len(clinic.looks) > looks + 2)
    assert clinic.looks[-1] == [TASK_QUEUE]
    assert set(faults.down) == {TASK_QUEUE}
    assert judged == []
    await stopped(faults)


async def test_what_is_forgotten_while_it_is_looked_at_stays_so(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    clinic.sick = {OF_SCHOOL: WHY}
    faults.suspect(OF_SCHOOL)
    await aeventually("it is being looked at", lambda: bool(clinic.looks))
    faults.forget(OF_SCHOOL)
    await aeventually("the look is over", lambda: faults._task is None)
    assert faults.down == {}


async def test_a_consumer_that_ends_follows_no_more(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    clinic.sick = {OF_SCHOOL: WHY}
    channels: list[Channel] = []
    leaving, staying = (Consumer(OF_SCHOOL, lambda delivery: None, faults=faults) for _ in range(2))
    for consumer in (leaving, staying):
        consumer.attach(connection(channels))
    faults.suspect(OF_SCHOOL)
    await aeventually("it is down", lambda: bool(faults.down))
    leaving.end()
    assert faults.suspects(OF_SCHOOL), "another one needs it"
    staying.end()
    assert not faults.suspects(OF_SCHOOL)
    assert faults.down == {}
    await stopped(faults)


async def test_stopping_ends_the_looks(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    clinic.sick = {TASK_QUEUE: WHY}
    faults.suspect(TASK_QUEUE)
    await aeventually("it looks", lambda: len(clinic.looks) > 1)
    await stopped(faults)
    looks = len(clinic.looks)
    faults.suspect(RESULT_QUEUE)
    await asyncio.sleep(0.01)
    assert len(clinic.looks) == looks


@pytest.mark.parametrize(
    ("exchange", "key", "queues"),
    [
        ("", TASK_QUEUE, [TASK_QUEUE]),
        ("", "amq.gen-reply", []),
        (RETRY_EXCHANGE, "frame_queue.gpu", ["frame_queue.gpu"]),
        (RESULTS_EXCHANGE, "gate-3", [RESULT_QUEUE]),
        ("status", "node.1", []),
    ],
)
def test_where_a_message_ends(exchange: str, key: str, queues: list[str]) -> None:
    assert QueueFaults(Clinic().find).fed_by(exchange, key) == queues


class Loop:
    """Timers that never run out."""

    def call_later(self, _delay: float, _callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


class Channel:
    """Answers what a subscription needs, but not the subscription itself until the test says so."""

    is_open = True

    def __init__(self) -> None:
        self.connection = SimpleNamespace(params=SimpleNamespace(frame_max=131_072))
        self.asked: list[str] = []
        self.closed = 0
        self.subscribed: Callable[[Any], None] = lambda frame: None
        self.confirm: Callable[[Any], None] = lambda frame: None

    def add_on_close_callback(self, _callback: Any) -> None: ...

    def add_on_cancel_callback(self, _callback: Any) -> None: ...

    def add_on_return_callback(self, _callback: Any) -> None: ...

    def basic_qos(self, *, prefetch_count: int, callback: Callable[[Any], None]) -> None:
        callback(None)

    def queue_declare(self, _name: str, *, passive: bool, callback: Callable[[Any], None]) -> None:
        callback(SimpleNamespace(method=SimpleNamespace(message_count=0, consumer_count=0)))

    def basic_consume(self, name: str, _deliver: Any, *, auto_ack: bool, callback: Any) -> None:
        self.asked.append(name)
        self.subscribed = callback

    def confirm_delivery(self, confirmed: Callable[[Any], None], callback: Callable[[Any], None]) -> None:
        self.confirm = confirmed
        callback(None)

    def basic_publish(self, *_message: Any, **_options: Any) -> None: ...

    def close(self, **_reason: str) -> None:
        self.closed += 1


def connection(channels: list[Channel]) -> Any:
    def open_channel(opened: Callable[[Any], None]) -> None:
        channels.append(Channel())
        opened(channels[-1])

    return SimpleNamespace(loop=Loop(), open=True, blocked=False, open_channel=open_channel)


async def test_a_consumer_asks_for_a_queue_again_when_it_is_well(clinic: Clinic) -> None:
    """RabbitMQ closes the connection of whoever asks for one that is down, with all that others have on it."""
    faults = QueueFaults(clinic.find)
    clinic.sick = {TASK_QUEUE: WHY}
    channels: list[Channel] = []
    broker = connection(channels)
    consumer = Consumer(TASK_QUEUE, lambda delivery: None, faults=faults)
    consumer.attach(broker)
    assert channels[0].asked == [TASK_QUEUE]
    consumer.detach(ConnectionClosedByBroker(INTERNAL_ERROR, WHY))
    assert faults.suspects(TASK_QUEUE)
    consumer.attach(broker)
    assert channels[1].asked == []
    await aeventually("it is down", lambda: bool(faults.down))
    assert channels[1].closed == 0
    clinic.sick = {}
    await aeventually("it is well", lambda: not faults.down)
    assert channels[1].closed == 1, "for the role to open another"
    consumer.attach(broker)
    assert channels[2].asked == [TASK_QUEUE]


async def test_a_connection_that_is_lost_for_another_reason_makes_nothing_suspect(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    consumer = Consumer(TASK_QUEUE, lambda delivery: None, faults=faults)
    for reason in (None, ConnectionClosedByBroker(320, "CONNECTION_FORCED - shutdown")):
        consumer.attach(connection([]))
        consumer.detach(reason)
    channels: list[Channel] = []
    consumer.attach(connection(channels))
    channels[0].subscribed(SimpleNamespace(method=SimpleNamespace(consumer_tag="tag")))
    consumer.detach(ConnectionClosedByBroker(INTERNAL_ERROR, "another's"))  # it had its answer
    assert not faults.suspects(TASK_QUEUE)


async def test_a_publisher_tells_a_queue_that_is_down_from_a_full_one(clinic: Clinic) -> None:
    faults = QueueFaults(clinic.find)
    clinic.sick = {RESULT_QUEUE: WHY}
    channels: list[Channel] = []
    publisher = Publisher(faults=faults)
    publisher.attach(connection(channels))
    outcomes: list[Outcome] = []

    def publish(exchange: str, key: str) -> None:
        publisher.publish(Message(exchange, key, b"x"), outcomes.append)
        channels[0].confirm(SimpleNamespace(method=Basic.Nack(publisher._tag)))

    publish(RESULTS_EXCHANGE, "gate-3")
    publish("", TASK_QUEUE)
    await aeventually("they were looked at", lambda: bool(faults.down) and not faults.suspects(TASK_QUEUE))
    publish(RESULTS_EXCHANGE, "gate-4")
    publish("", TASK_QUEUE)
    assert outcomes == [Outcome.REJECTED, Outcome.REJECTED, Outcome.QUEUE_DOWN, Outcome.REJECTED]
    await stopped(faults)


def test_one_sentence_tells_that_no_queue_works() -> None:
    dead = "INTERNAL_ERROR - …: noproc"
    assert sentences({"a": dead, "b": dead}, ["a", "b"]) == [NONE_WORKS]
    assert len(sentences({"a": dead}, ["a", "b"])) == 1
    assert "queue a: it is down" in sentences({"a": dead}, ["a", "b"])[0]
    assert len(sentences({"a": dead, "b": "it does not answer"}, ["a", "b"])) == 2, (
        "a cluster without its nodes"
    )
    assert sentences({}, ["a", "b"]) == []
