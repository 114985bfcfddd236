"""Whether messages pass the broker: a real one with a dead queue, and one in an alarm."""

import asyncio
from urllib.parse import urlsplit

import pytest

from broker.session import session
from cli.errors import BrokerAlarm
from cli.passage import CLIENT, try_passage
from cli.rabbitmq import RabbitMQNode
from tests.helpers.bus import bus
from tests.helpers.eventually import eventually

pytestmark = pytest.mark.integration


async def test_it_passes_with_and_without_queues_of_ours_and_leaves_nothing(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode
) -> None:
    assert await try_passage([rabbitmq]) == {}
    async with bus(rabbitmq):
        assert await try_passage([rabbitmq]) == {}
        async with session([rabbitmq], "count") as ours:
            assert await ours.count("frame_queue") == (0, 0)
    vhost = urlsplit(rabbitmq).path.removeprefix("/")
    assert "trial" not in shared_rabbitmq.ctl("list_queues", "-p", vhost, "name")


async def test_a_dead_queue_is_named(rabbitmq: str, shared_rabbitmq: RabbitMQNode) -> None:
    async with bus(rabbitmq):
        pass
    vhost = urlsplit(rabbitmq).path.removeprefix("/")
    shared_rabbitmq.ctl(
        "eval",
        f'{{ok, Q}} = rabbit_amqqueue:lookup({{resource, <<"{vhost}">>, queue, <<"frame_queue">>}}), '
        "ra:stop_server(quorum_queues, amqqueue:get_pid(Q)).",
    )
    down = await try_passage([rabbitmq])
    assert list(down) == ["frame_queue"], "the others go on"
    assert "INTERNAL_ERROR" in down["frame_queue"]
    assert vhost not in down["frame_queue"]


async def test_an_alarm_is_no_dead_queue(rabbitmq: str, shared_rabbitmq: RabbitMQNode) -> None:
    shared_rabbitmq.ctl("set_vm_memory_high_watermark", "0")
    try:
        with pytest.raises(BrokerAlarm):
            await try_passage([rabbitmq])
    finally:
        shared_rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")

    await asyncio.to_thread(
        eventually,
        "the connection is closed after the alarm",
        lambda: CLIENT not in shared_rabbitmq.ctl("list_connections", "client_properties"),
    )
