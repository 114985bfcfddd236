"""A user of the broker as `framefleet senders add` makes it: it sends tasks, hears their results, and that is all."""

import asyncio
import contextlib
import json
import re
import secrets
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPConnectionError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
)

from broker.session import session
from cli.rabbitmq import RabbitMQNode
from contract.senders import Sender
from contract.topology import Lane
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.processes import ROOT
from tests.helpers.tool import framefleet
from tests.helpers.vhosts import VirtualHosts

pytestmark = pytest.mark.integration

REFUSED = 403
PERSISTENT = pika.BasicProperties(content_type="application/json", delivery_mode=2)
DIRECT = "amq.rabbitmq.reply-to"
WORKERS_KNOW_SENDERS = any("contract.senders" in file.read_text() for file in (ROOT / "worker").glob("*.py"))


@dataclass(frozen=True)
class User:
    """What a sender's user was given, and how the command described it."""

    sender: Sender
    parameters: pika.URLParameters
    said: str
    data: Path

    @property
    def key(self) -> str:
        return self.sender.queue(Lane.LIVE)


@pytest.fixture(scope="module")
def amqp_url(virtual_hosts: VirtualHosts) -> str:
    """A virtual host of this module, and so its only sender: making one takes seconds."""
    return virtual_hosts.take()


@pytest.fixture(scope="module")
def made(amqp_url: str, shared_rabbitmq: RabbitMQNode, tmp_path_factory: pytest.TempPathFactory) -> User:
    """By the commands that are printed where nobody may administer the broker."""
    name, data = f"school_{secrets.token_hex(3)}", tmp_path_factory.mktemp("data")
    said = asyncio.run(add(amqp_url, name, data))
    commands = [line for line in said.splitlines() if line.startswith("rabbitmqctl ")]
    assert len(commands) == 3
    for command in commands:
        shared_rabbitmq.ctl(*shlex.split(command)[1:])
    found = re.search(r"^URL +(\S+)$", said, re.MULTILINE)
    assert found
    return User(Sender(name=name, cameras=("gate-*",)), pika.URLParameters(found[1]), said, data)


async def add(url: str, name: str, data: Path) -> str:
    async with bus(url):  # the first service that connects declares everything
        pass
    words = ("senders", "add", name, "--cameras", "gate-*")
    said = await framefleet(url, *words, settings={"GATEWAY_DATA_DIR": str(data)})
    assert said.status == 0, said.err
    return said.out


@pytest.fixture
async def user(made: User, amqp_url: str) -> User:
    """With nothing in its queue."""
    async with session([amqp_url], "purge") as broker, broker.channel() as purging:
        await purging.call(lambda done: purging.raw.queue_purge(made.key, callback=done))
    return made


@contextlib.contextmanager
def channel(user: User) -> Iterator[BlockingChannel]:
    connection = pika.BlockingConnection(user.parameters)
    try:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened
    finally:
        if connection.is_open:
            connection.close()


def listen(connection: pika.BlockingConnection) -> None:
    """Until the broker ends it, or for ten seconds."""
    for _ in range(100):
        connection.process_data_events(0.1)


async def counts(url: str, *queues: str) -> list[int]:
    async with session([url], "count") as ours:
        return [(await ours.count(queue))[0] for queue in queues]


async def test_the_program_that_is_printed_sends_a_task(user: User, amqp_url: str, tmp_path: Path) -> None:
    picture = tmp_path / "face.jpg"
    picture.write_bytes(jpeg(astronaut()))
    program = user.said[user.said.index("import base64") :].replace("face.jpg", str(picture))
    space: dict[str, Any] = {}
    exec(compile(program, "printed", "exec"), space)  # noqa: S102
    space["channel"].connection.close()
    assert await counts(amqp_url, user.key, "frame_queue") == [1, 0]


@pytest.mark.skipif(not WORKERS_KNOW_SENDERS, reason="workers do not take senders' frames yet")
async def test_it_sends_a_task_and_hears_its_result(user: User, amqp_url: str, start: StartService) -> None:
    gateway = start(
        "gateway",
        AMQP_URL=amqp_url,
        GATEWAY_PORT="0",
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(user.data),
    )
    gateway.ready()
    start("worker", AMQP_URL=amqp_url, NODE_ID="n-1", WORKER_DETECTOR="haar").ready()
    with channel(user) as opened:
        heard: list[bytes] = []
        opened.basic_consume(DIRECT, lambda *got: heard.append(got[3]), auto_ack=True)
        replies = user.sender.reply_queue.name
        opened.basic_consume(replies, lambda *got: heard.append(got[3]), auto_ack=True)
        for number, reply_to in enumerate(("result_queue", DIRECT, replies)):
            properties = pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                reply_to=reply_to,
                correlation_id=str(number),
            )
            body = task(jpeg(astronaut()), camera_id="yard", frame_id=f"f-{number}")
            opened.basic_publish(user.sender.exchange, user.key, body, properties, mandatory=True)
        for _ in range(400):
            opened.connection.process_data_events(0.1)
            if len(heard) == 2:
                break
    results = sorted((json.loads(body) for body in heard), key=lambda each: each["frame_id"])
    name = user.sender.name
    assert [each["frame_id"] for each in results] == [f"{name}:f-1", f"{name}:f-2"]
    assert {(each["camera_id"], each["sender"]) for each in results} == {(f"{name}-yard", name)}
    eventually(
        "all are stored, and none that the worker was told to write there",
        lambda: gateway.metric("gateway_recorded_results_total") == 3,
    )


def publish(
    exchange: str, key: str, body: bytes = b"{}", **properties: object
) -> Callable[[BlockingChannel], object]:
    sent = pika.BasicProperties(content_type="application/json", delivery_mode=2, **properties)
    return lambda channel: channel.basic_publish(exchange, key, body, sent, mandatory=True)


FORBIDDEN: dict[str, Callable[[BlockingChannel], object]] = {
    "declare a queue of ours with other arguments": lambda c: c.queue_declare("frame_queue", durable=True),
    "declare a queue of its own": lambda c: c.queue_declare("mine"),
    "delete the lane": lambda c: c.queue_delete("frame_queue"),
    "purge the lane": lambda c: c.queue_purge("frame_queue"),
    "purge the results": lambda c: c.queue_purge("result_queue"),
    "take a frame of somebody else": lambda c: c.basic_get("frame_queue"),
    "consume the results": lambda c: c.basic_consume("result_queue", lambda *_: None),
    "listen to the results": lambda c: c.queue_bind("mine", "results", "#"),
    "read the dead letters": lambda c: c.basic_get("frame_queue.dlq"),
    "delete an exchange": lambda c: c.exchange_delete("results"),
    "write results": publish("results", "gate-1"),
    "write to the result queue": publish("", "result_queue"),
    "switch models": publish("control", ""),
    "pose as a worker": publish("status", "node"),
    "fill the lane": publish("tasks", "frame_queue"),
    "fill a lane that was not given": publish("tasks", "frame_queue.batch"),
    "write a further attempt": publish("retry", "frame_queue"),
    "pose as another sender": publish("tasks.from.bakery", "frame_queue.from.bakery"),
    "write to another's queue": publish("", "frame_queue.from.bakery"),
    "read another's frames": lambda c: c.basic_get("frame_queue.from.bakery"),
    "read another's dead letters": lambda c: c.basic_get("frame_queue.dlq.from.bakery"),
    "read another's results": lambda c: c.basic_get("sender.bakery.replies"),
    "write into another's results": publish("", "sender.bakery.replies"),
}


def forbidden(sender: Sender) -> dict[str, Callable[[BlockingChannel], object]]:
    """What it may not do with what is its own."""
    own, key, replies = sender.exchange, sender.queue(Lane.LIVE), sender.reply_queue.name
    return {
        "write to its queue past its exchange": publish("", key),
        "read its own frames": lambda c: c.basic_get(key),
        "purge its own frames": lambda c: c.queue_purge(key),
        "read its own dead letters": lambda c: c.basic_get(sender.dead_letter_queue),
        "have its replies dead-lettered as tasks": lambda c: c.queue_declare(
            f"sender.{sender.name}.mine",
            arguments={"x-dead-letter-exchange": own, "x-dead-letter-routing-key": key},
        ),
        "feed its replies to others": lambda c: c.queue_bind("frame_queue", own, key),
        "bind its replies": lambda c: c.queue_bind(replies, own, key),
        "delete its replies' queue": lambda c: c.queue_delete(replies),
        "pose as another user": publish(own, key, user_id="framefleet"),
    }


async def test_everything_else_is_refused_and_it_has_its_limits(user: User, amqp_url: str) -> None:
    bakery = Sender(name="bakery")
    async with session([amqp_url], "another sender") as ours, ours.channel() as declaring:
        for exchange in bakery.topology.exchanges:
            await declaring.declare_exchange(exchange)
        for queue in (*bakery.topology.queues, bakery.reply_queue):
            await declaring.declare(queue)
    for what, attempt in (FORBIDDEN | forbidden(user.sender)).items():
        with channel(user) as opened, pytest.raises(ChannelClosedByBroker) as closed:
            attempt(opened)
        # RabbitMQ calls a foreign user_id a failed precondition.
        assert closed.value.reply_code == (406 if what == "pose as another user" else REFUSED), (
            what,
            closed.value,
        )
    with channel(user) as opened:
        opened.basic_publish(user.sender.exchange, user.key, task(b"x"), PERSISTENT, mandatory=True)
    assert await counts(amqp_url, user.key, "frame_queue", "result_queue") == [1, 0, 0]
    no_more_than_it_was_given(user)


@pytest.mark.parametrize("header", ["CC", "BCC"])
async def test_no_header_brings_its_message_anywhere_else(header: str, user: User, amqp_url: str) -> None:
    """RabbitMQ 3.10 checks rights to the routing key of a message, and none to those in CC and BCC."""
    elsewhere = [
        "frame_queue",
        "frame_queue.batch",
        "result_queue",
        "frame_queue.dlq",
        "frame_queue.from.bakery",
    ]
    properties = pika.BasicProperties(delivery_mode=2, headers={header: elsewhere})
    with channel(user) as opened:
        opened.basic_publish(user.sender.exchange, user.key, task(b"x"), properties, mandatory=True)
    assert await counts(amqp_url, user.key, *elsewhere[:-1]) == [1, 0, 0, 0, 0]


def test_a_lane_that_it_does_not_have_is_told(user: User) -> None:
    with channel(user) as opened, pytest.raises(pika.exceptions.UnroutableError):
        opened.basic_publish(
            user.sender.exchange, user.sender.queue(Lane.BATCH), task(b"x"), PERSISTENT, mandatory=True
        )


def no_more_than_it_was_given(user: User) -> None:
    """Two connections, and four channels on both together."""
    with channel(user) as first, channel(user) as second:
        with pytest.raises(AMQPConnectionError), channel(user):
            pass
        second.connection.channel()
        second.connection.channel()
        with pytest.raises(ConnectionClosedByBroker, match="maximum allowed user limit"):
            second.connection.channel()
        assert first.is_open


async def test_removing_it_ends_its_rights_and_connections(
    user: User, amqp_url: str, shared_rabbitmq: RabbitMQNode
) -> None:
    name = user.sender.name
    with channel(user) as opened:
        opened.basic_publish(user.sender.exchange, user.key, task(b"x"), PERSISTENT, mandatory=True)
        settings = {"GATEWAY_DATA_DIR": str(user.data)}
        said = await framefleet(amqp_url, "senders", "remove", name, settings=settings)
        assert said.status == 0, said.err
        assert f"1 message is left in {user.key}" in said.err
        for command in said.out.splitlines():
            if command.startswith("rabbitmqctl "):
                shared_rabbitmq.ctl(*shlex.split(command)[1:])
        with pytest.raises(ConnectionClosedByBroker):
            listen(opened.connection)
    with pytest.raises(AMQPConnectionError), channel(user):
        pass
    again = await framefleet(amqp_url, "senders", "remove", name, "--purge", settings=settings)
    assert (again.status, again.err) == (0, "")
    third = await framefleet(amqp_url, "senders", "remove", name, settings=settings)
    assert third.status == 2
    assert third.err == f"there is no sender {name}: there is none\n"
    assert str(urlsplit(amqp_url).password) not in said.out + said.err
