"""A service's link on a real RabbitMQ: what it sends and hears, on asyncio and in a thread of its own."""

import threading

import psutil
import pytest

from broker import AsyncioLoop, Delivery, Link, Message, ThreadLoop, aio, from_body
from broker.session import session
from contract.topology import STATUS_EXCHANGE
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.proxy import proxy

pytestmark = pytest.mark.integration


def status(key: str, body: bytes) -> Message:
    return Message(STATUS_EXCHANGE, key, body, persistent=False, mandatory=False)


async def test_it_sends_hears_by_several_keys_and_consumes(rabbitmq: str) -> None:
    numbers: list[int] = []
    invalid: list[str] = []
    frames: list[Delivery] = []
    link = Link(AsyncioLoop(), [rabbitmq], "test", on_invalid=invalid.append)
    publisher = link.publisher()
    link.listen(STATUS_EXCHANGE, ("producer.*", "cameras.*"), from_body(int), numbers.append, needed=True)
    link.consume("frame_queue", frames.append, prefetch=1, needed=True)
    depth = link.depth(["frame_queue"], every=0.1)
    assert link.missing() == ["RabbitMQ: the connection to the broker is not made yet"]
    link.start()
    await aeventually("nothing is missing", lambda: not link.missing() and publisher.usable)
    for key, body in (("producer.a", b"1"), ("node.b", b"2"), ("cameras.c", b"x"), ("cameras.c", b"3")):
        await aio.publish(publisher, status(key, body))
    await aeventually("the messages", lambda: len(numbers) == 2)
    assert numbers == [1, 3]
    assert invalid == [STATUS_EXCHANGE]
    await aio.publish(publisher, Message("", "frame_queue", b"frame"))
    await aeventually("the frame", lambda: len(frames) == 1 and depth.consumers.get("frame_queue") == 1)
    assert frames[0].ack()
    await link.stop()
    assert link.missing() == ["RabbitMQ: the connection to the broker is closed"]


async def test_what_is_added_to_an_open_link_works_at_once(rabbitmq: str) -> None:
    heard: list[int] = []
    link = Link(AsyncioLoop(), [rabbitmq], "test")
    link.start()
    await aeventually("open", lambda: link.ready)
    publisher = link.publisher()
    consumer = link.listen(STATUS_EXCHANGE, (), from_body(int), heard.append, needed=True)
    consumer.bind(STATUS_EXCHANGE, "late")
    await aeventually("nothing is missing", lambda: not link.missing() and publisher.usable)
    await aio.publish(publisher, status("late", b"1"))
    await aeventually("the message", lambda: heard == [1])
    await link.stop()


@pytest.mark.parametrize("silent", ["held", "half open"])
async def test_a_tool_waits_for_no_goodbye_and_leaves_no_socket(
    rabbitmq: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.session.GOODBYE_SECONDS", 0.2)
    async with proxy(rabbitmq) as line:

        def sockets() -> int:
            own = psutil.Process().net_connections("tcp")
            return sum(bool(each.raddr) and each.raddr.port == line.port for each in own)

        async with session([line.url(rabbitmq)], "tool") as opened:
            assert (opened.open, sockets()) == (True, 1)
            line.hold() if silent == "held" else line.half_open()
        assert sockets() == 0


def test_it_lives_in_a_thread_as_well(rabbitmq: str) -> None:
    crashed: list[str] = []
    heard: list[int] = []
    loop = ThreadLoop(crashed.append)
    loop.start()
    link = Link(loop, [rabbitmq], "test")
    publisher = link.publisher()
    link.listen(STATUS_EXCHANGE, "#", from_body(int), heard.append, needed=True)
    link.start()
    eventually("nothing is missing", lambda: not link.missing() and publisher.usable)
    loop.call_soon_threadsafe(lambda: publisher.publish(status("a", b"1")))
    eventually("the message", lambda: heard == [1])
    closed = threading.Event()
    loop.call_soon_threadsafe(lambda: link.close(closed.set))
    assert closed.wait(5)
    loop.stop()
    assert not crashed
