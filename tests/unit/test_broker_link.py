"""A service's link: what it lacks, and what becomes of messages that nobody can read. No broker."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from broker import Consumer, Link, from_body
from broker.properties import Properties


class StillLoop:
    """Nothing happens on it."""

    def call_later(self, _delay: float, _callback: object) -> Any:
        return lambda: None

    def call_soon_threadsafe(self, _callback: object) -> None:
        pass

    def connect(self, *_args: object, **_given: object) -> Any:
        raise AssertionError("nothing connects here")


STILL: Any = StillLoop()


class SubscribedChannel:
    """Brings a consumer what the test gives it."""

    is_open = True

    def __init__(self, consumer: Consumer) -> None:
        consumer._consume(self, "amq.gen-1")

    def basic_consume(self, _name: str, received: Any, **_given: object) -> None:
        self._received = received

    def bring(self, body: bytes) -> None:
        method = SimpleNamespace(delivery_tag=1, exchange="status")
        self._received(self, method, Properties(app_id="gate-1"), body)


def number(body: bytes) -> int:
    return int(body)


def test_a_message_that_cannot_be_read_is_told_and_left_out() -> None:
    numbers: list[int] = []
    invalid: list[str] = []
    link = Link(STILL, ["amqp://127.0.0.1/"], "test", on_invalid=invalid.append)
    channel = SubscribedChannel(link.listen("status", "#", from_body(number), numbers.append))
    with capture_logs() as logs:
        channel.bring(b"x" * 1_000)
        channel.bring(b"7")
    assert numbers == [7]
    assert invalid == ["status"]
    (line,) = logs
    assert line["event"] == "a message could not be read, and is left out"
    assert (line["exchange"], line["app_id"]) == ("status", "gate-1")
    assert len(line["reason"]) <= 200


def test_a_mistake_of_ours_costs_no_other_message() -> None:
    heard: list[int] = []
    invalid: list[str] = []

    def handle(number: int) -> None:
        if number == 1:
            raise ValueError("not the sender's fault")
        heard.append(number)

    link = Link(STILL, ["amqp://127.0.0.1/"], "test", on_invalid=invalid.append)
    channel = SubscribedChannel(link.listen("status", "#", from_body(number), handle))
    with capture_logs() as logs:
        channel.bring(b"1")
        channel.bring(b"2")
    assert heard == [2]
    assert not invalid
    assert [(line["event"], line["exchange"]) for line in logs] == [
        ("a message could not be handled", "status")
    ]


@pytest.mark.parametrize("keys", ["producer.*", ("producer.*", "cameras.*"), ()])
def test_a_queue_may_be_bound_by_several_keys_or_none(keys: str | tuple[str, ...]) -> None:
    link = Link(STILL, ["amqp://127.0.0.1/"], "test")
    consumer = link.listen("status", keys, from_body(number), lambda number: None)
    assert consumer._bindings == {("status", key) for key in ([keys] if isinstance(keys, str) else keys)}


def test_what_is_missing_says_why_the_last_connection_was_lost() -> None:
    refused: list[str] = []
    link = Link(STILL, ["amqp://127.0.0.1/"], "test", on_fatal=refused.append)
    assert link.missing() == ["RabbitMQ: the connection to the broker is not made yet"]
    link._sending._lost("connection refused")
    link._sending._on_state("connecting", "amqp://127.0.0.1/")
    # Still, while it tries again.
    assert link.missing() == ["RabbitMQ: the connection to the broker is lost (connection refused)"]
    link._sending._on_fatal("the queue 'q' exists with another 'x-max-length'")
    assert link.missing() == ["RabbitMQ: the queue 'q' exists with another 'x-max-length'"]
    assert refused == ["the queue 'q' exists with another 'x-max-length'"]
