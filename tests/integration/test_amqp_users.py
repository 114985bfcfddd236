"""A user of the broker as docs/security.md makes it: it sends tasks, hears their results, and that is all."""

import contextlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
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
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.processes import ROOT

pytestmark = pytest.mark.integration

REFUSED = 403
PERSISTENT = pika.BasicProperties(content_type="application/json", delivery_mode=2)
DIRECT = "amq.rabbitmq.reply-to"


def commands() -> list[str]:
    """Those of the documentation, in order."""
    text = (ROOT / "docs" / "security.md").read_text()
    section = text.partition("## Plain AMQP clients")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block, "docs/security.md has no commands for AMQP users"
    found = [line for line in block[1].splitlines() if line.startswith("rabbitmqctl ")]
    assert len(found) == 4
    return found


@pytest.fixture
async def user(rabbitmq: str, shared_rabbitmq: RabbitMQNode) -> pika.URLParameters:
    """Made by those very commands, for the test's own virtual host instead of `/`."""
    async with bus(rabbitmq):  # the first service that connects declares everything
        pass
    vhost = urlsplit(rabbitmq).path.removeprefix("/")
    name, password = f"school-{secrets.token_hex(3)}", secrets.token_hex(8)
    for command in commands():
        filled = (
            command.replace("SCHOOL", name).replace("PASSWORD", password).replace("-p / ", f"-p {vhost} ")
        )
        words = [word.strip("'") for word in filled.split()[1:]]
        shared_rabbitmq.ctl(*words)
    parts = urlsplit(rabbitmq)
    return pika.URLParameters(f"amqp://{name}:{password}@{parts.hostname}:{parts.port}/{vhost}")


@contextlib.contextmanager
def channel(user: pika.URLParameters) -> Iterator[BlockingChannel]:
    connection = pika.BlockingConnection(user)
    try:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened
    finally:
        if connection.is_open:
            connection.close()


async def test_it_sends_a_task_and_hears_its_result(
    user: pika.URLParameters, rabbitmq: str, start: StartService
) -> None:
    start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar").ready()
    with channel(user) as opened:
        heard: list[bytes] = []
        opened.basic_consume(DIRECT, lambda *got: heard.append(got[3]), auto_ack=True)
        for number, reply_to in enumerate(("result_queue", DIRECT)):
            properties = pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                reply_to=reply_to,
                correlation_id=str(number),
            )
            body = task(jpeg(astronaut()), camera_id="school-1", frame_id=f"f-{number}")
            opened.basic_publish("tasks", "frame_queue", body, properties, mandatory=True)
        for _ in range(200):
            opened.connection.process_data_events(0.1)
            if heard:
                break
    result = json.loads(heard[0])
    assert (result["frame_id"], result["status"], result["node_id"]) == ("f-1", "ok", "n-1")
    async with session([rabbitmq], "count") as ours:
        assert (await ours.count("result_queue"))[0] == 2  # and none that the worker was told to write there


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
    "write results": lambda c: c.basic_publish("results", "gate-1", b"{}", PERSISTENT, mandatory=True),
    "write to the result queue": lambda c: c.basic_publish(
        "", "result_queue", b"{}", PERSISTENT, mandatory=True
    ),
    "switch models": lambda c: c.basic_publish("control", "", b"{}", PERSISTENT, mandatory=True),
    "pose as a worker": lambda c: c.basic_publish("status", "node", b"{}", PERSISTENT, mandatory=True),
    "name a lane that there is not": lambda c: c.basic_publish(
        "tasks", "frame_queu", b"{}", PERSISTENT, mandatory=True
    ),
    "fill a lane that was not given": lambda c: c.basic_publish(
        "tasks", "frame_queue.batch", b"{}", PERSISTENT, mandatory=True
    ),
}


async def test_everything_else_is_refused_and_it_has_its_limits(
    user: pika.URLParameters, rabbitmq: str
) -> None:
    for what, attempt in FORBIDDEN.items():
        with channel(user) as opened, pytest.raises(ChannelClosedByBroker) as closed:
            attempt(opened)
        assert closed.value.reply_code == REFUSED, (what, closed.value)
    with channel(user) as opened:
        opened.basic_publish("tasks", "frame_queue", task(b"x"), PERSISTENT, mandatory=True)
    async with session([rabbitmq], "count") as ours:
        assert (await ours.count("frame_queue"))[0] == 1
        assert (await ours.count("result_queue"))[0] == 0
    no_more_than_it_was_given(user)


def no_more_than_it_was_given(user: pika.URLParameters) -> None:
    """Two connections, and four channels on both together."""
    with channel(user) as first, channel(user) as second:
        with pytest.raises(AMQPConnectionError), channel(user):
            pass
        second.connection.channel()
        second.connection.channel()
        with pytest.raises(ConnectionClosedByBroker, match="maximum allowed user limit"):
            second.connection.channel()
        assert first.is_open
