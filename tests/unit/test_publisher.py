"""Confirms: each outcome is its own message's, whatever is sent, raises, comes back or does not add up."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker
from pika.spec import Basic

from broker import Message, Outcome, Publisher, publisher
from broker.properties import read
from broker.publisher import OVERDUE_SECONDS


class FakeChannel:
    """Keeps what is sent; the test speaks for the broker."""

    is_open = True
    raises: Exception | None = None

    def __init__(self) -> None:
        self.connection = SimpleNamespace(params=SimpleNamespace(frame_max=131_072))
        self.sent: list[tuple[bytes, bytes, bytes]] = []
        self.closed_because: list[str] = []
        self.confirm: Callable[[Any], None]
        self.return_: Callable[..., None]

    def add_on_return_callback(self, callback: Callable[..., None]) -> None:
        self.return_ = callback

    def add_on_close_callback(self, callback: Callable[..., None]) -> None:
        self.closed = callback

    def confirm_delivery(self, confirmed: Callable[[Any], None], callback: Callable[[Any], None]) -> None:
        self.confirm = confirmed
        callback(None)

    def basic_publish(
        self, exchange: bytes, key: bytes, body: bytes, properties: Any, *, mandatory: bool
    ) -> None:
        if self.raises is not None:
            raise self.raises
        (encoded,) = properties.encode()
        self.sent.append((key, encoded, body))

    def close(self, reply_text: str) -> None:
        self.closed_because.append(reply_text)

    # --- what the broker says ---

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.confirm(SimpleNamespace(method=Basic.Ack(tag, multiple)))

    def nack(self, tag: int) -> None:
        self.confirm(SimpleNamespace(method=Basic.Nack(tag)))

    def give_back(self, exchange: str, key: str, message_id: str | bytes | None, body: bytes) -> None:
        method = SimpleNamespace(exchange=exchange, routing_key=key)
        self.return_(self, method, SimpleNamespace(message_id=message_id), body)


class Bench:
    """A publisher on a channel, and what became of its messages."""

    def __init__(self) -> None:
        self.settled: list[Outcome] = []
        self.publisher = Publisher(on_void=self._void, on_settled=self.settled.append)
        self.outcomes: dict[str, Outcome] = {}
        self.voided = 0
        self.timers: list[Callable[[], None]] = []
        loop = SimpleNamespace(call_later=self._call_later)
        connection: Any = SimpleNamespace(
            loop=loop, open=True, blocked=False, open_channel=lambda opened: None, redeclare=lambda role: None
        )
        self.publisher.attach(connection)
        self.channel = self.fresh_channel()

    def fresh_channel(self) -> FakeChannel:
        self.channel = FakeChannel()
        self.publisher._channel_opened(self.channel)
        return self.channel

    def close(self, reason: Exception | None = None) -> None:
        self.publisher._channel_closed(self.channel, reason or RuntimeError("closed"))

    def publish(self, name: str, **fields: Any) -> None:
        given: dict[str, Any] = {
            "exchange": "",
            "routing_key": "q",
            "body": name.encode(),
            "message_id": name,
        }
        self.publisher.publish(Message(**(given | fields)), lambda outcome: self._heard(name, outcome))

    def sweep(self) -> None:
        timers, self.timers = self.timers, []
        for timer in timers:
            timer()

    def _heard(self, name: str, outcome: Outcome) -> None:
        assert name not in self.outcomes
        self.outcomes[name] = outcome

    def _call_later(self, _delay: float, callback: Callable[[], None]) -> Callable[[], None]:
        self.timers.append(callback)
        return lambda: None

    def _void(self) -> None:
        self.voided += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


ODD: dict[str, Any] = {
    "frame_id of 200 umlauts": {"message_id": "ü" * 200},
    "id that is not UTF-8": {"message_id": b"\xfc" * 200},
    "correlation_id": {"correlation_id": b"\xff" * 4_000},
    "reply_to": {"reply_to": "ü" * 255},
    "app_id": {"app_id": "\ud800" * 100},
    "content_type": {"content_type": "image/" + "x" * 300},
    "content_encoding": {"content_encoding": "g" * 256},
    "type": {"type": "t" * 256},
    "numbers": {"priority": 300, "timestamp": -5},
    "routing key": {"routing_key": "ü" * 200},
    "exchange": {"exchange": "x" * 300},
    "headers": {
        "headers": {"n": float("nan"), "big": 2**80, "o": object(), "k" * 300: {b"\xff": ["\ud800"]}}
    },
    "large headers": {"headers": {"x": "x" * 200_000}},
}


@pytest.mark.parametrize("odd", ODD)
def test_nothing_in_a_message_makes_publishing_raise_or_shifts_a_confirm(bench: Bench, odd: str) -> None:
    bench.publish("before")
    bench.publish("odd", **ODD[odd])
    bench.publish("after")
    assert len(bench.channel.sent) == 3
    assert all(len(encoded) < 131_072 for _, encoded, _ in bench.channel.sent)
    bench.channel.ack(1)
    bench.channel.ack(2)
    bench.channel.nack(3)
    assert bench.outcomes == {
        "before": Outcome.CONFIRMED,
        "odd": Outcome.CONFIRMED,
        "after": Outcome.REJECTED,
    }
    assert not bench.voided


def test_a_publish_that_raises_makes_all_that_is_outstanding_uncertain(bench: Bench) -> None:
    bench.publish("before")
    bench.channel.raises = RuntimeError("the socket is gone")
    bench.publish("raises")
    assert not bench.publisher.usable
    assert bench.channel.closed_because == ["a message could not be sent"]
    bench.channel.ack(2)  # of which message, nobody knows
    bench.publish("meanwhile")
    bench.close()
    assert set(bench.outcomes.values()) == {Outcome.DISCONNECTED}
    assert bench.outcomes.keys() == {"before", "raises", "meanwhile"}
    bench.fresh_channel()
    bench.publish("anew")
    bench.channel.ack(1)
    assert bench.outcomes["anew"] is Outcome.CONFIRMED
    assert bench.voided == 1


@pytest.mark.parametrize("tag", [0, 2, 7])
@pytest.mark.parametrize("multiple", [False, True])
def test_a_confirm_of_what_was_never_sent_is_believed_by_nobody(
    bench: Bench, tag: int, multiple: bool
) -> None:
    bench.publish("one")
    bench.channel.ack(tag, multiple=multiple)
    assert not bench.outcomes
    assert bench.channel.closed_because
    bench.close()
    assert bench.outcomes == {"one": Outcome.DISCONNECTED}
    assert bench.voided == 1


def test_a_confirm_that_comes_twice_is_not_believed(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.publish(name)
    bench.channel.ack(1)
    bench.channel.ack(1)
    bench.close()
    assert bench.outcomes == {"one": Outcome.CONFIRMED, "two": Outcome.DISCONNECTED}


def test_a_callback_that_raises_is_its_own_messages_trouble(bench: Bench) -> None:
    def raises(_outcome: Outcome) -> None:
        raise ZeroDivisionError

    bench.publisher.publish(Message("", "q", b"1"), raises)
    bench.publish("two")
    bench.channel.ack(2, multiple=True)
    assert bench.outcomes == {"two": Outcome.CONFIRMED}
    bench.publisher.publish(Message("", "q", b"3"), raises)
    bench.publish("four")
    bench.close()
    assert bench.outcomes["four"] is Outcome.DISCONNECTED


def test_a_picture_is_not_taken_for_its_result_that_comes_back(bench: Bench) -> None:
    """They have the same message_id; the result of a frame would count as confirmed, and the frame be forgotten."""
    bench.publish("picture", exchange="watch", routing_key="c", message_id="f-1", mandatory=False)
    bench.publish("result", exchange="results", routing_key="c", message_id="f-1")
    bench.channel.give_back("results", "c", "f-1", b"result")
    bench.channel.ack(2, multiple=True)
    assert bench.outcomes == {"picture": Outcome.CONFIRMED, "result": Outcome.UNROUTABLE}


def test_of_messages_without_an_id_the_right_one_comes_back(bench: Bench) -> None:
    for name in ("letter 1", "letter 2", "letter 3"):
        bench.publish(name, message_id=None)
    bench.channel.give_back("", "q", None, b"letter 3")
    bench.channel.ack(3)
    bench.channel.ack(2, multiple=True)
    assert bench.outcomes == {
        "letter 1": Outcome.CONFIRMED,
        "letter 2": Outcome.CONFIRMED,
        "letter 3": Outcome.UNROUTABLE,
    }


def test_a_long_id_is_recognised_when_it_comes_back(bench: Bench) -> None:
    bench.publish("other")
    bench.publish("long", message_id="ü" * 200)
    sent = read(bench.channel.sent[1][1])
    bench.channel.give_back("", "q", sent.message_id, b"long")
    bench.channel.ack(2, multiple=True)
    assert bench.outcomes == {"other": Outcome.CONFIRMED, "long": Outcome.UNROUTABLE}


def test_what_comes_back_without_having_been_sent_is_not_believed(bench: Bench) -> None:
    bench.publish("one")
    bench.channel.give_back("", "q", "another", b"another")
    assert bench.channel.closed_because
    bench.close()
    assert bench.outcomes == {"one": Outcome.DISCONNECTED}


def test_what_times_out_may_be_confirmed_late_but_not_never(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(publisher.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    for name in ("late", "lost"):
        bench.publish(name)
    now[0] = 11.0
    bench.sweep()
    assert bench.outcomes == {"late": Outcome.TIMED_OUT, "lost": Outcome.TIMED_OUT}
    bench.channel.ack(1)  # late, and nobody minds
    assert not bench.channel.closed_because
    now[0] += OVERDUE_SECONDS + 1
    bench.publish("outstanding")
    bench.sweep()
    assert bench.channel.closed_because == ["1 messages were never confirmed"]
    bench.close()
    assert bench.voided == 1
    assert bench.outcomes["outstanding"] is Outcome.DISCONNECTED


@pytest.mark.parametrize(
    ("code", "together", "outcome"),
    [
        (406, False, Outcome.REFUSED),
        (406, True, Outcome.DISCONNECTED),  # which of them was meant?
        (404, False, Outcome.DISCONNECTED),  # somebody deleted the exchange
    ],
)
def test_what_closes_the_channel_each_time_is_refused(
    bench: Bench, code: int, together: bool, outcome: Outcome
) -> None:
    bench.publish("one")
    if together:
        bench.publish("two")
    bench.close(ChannelClosedByBroker(code, "PRECONDITION_FAILED - message size 20000000 is larger than …"))
    assert bench.outcomes["one"] is outcome


def test_the_reason_of_closing_fits_however_many_queues_reject(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(publisher.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    for number in range(20):
        bench.publish(f"{number}", routing_key=f"a-queue-with-a-long-name-{number}")
        bench.channel.nack(number + 1)
    now[0] = 4.0
    bench.sweep()
    (reason,) = bench.channel.closed_because
    assert len(reason.encode()) <= 255
    assert not bench.voided


def test_each_message_that_was_sent_is_told_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("confirmed", "nacked", "returned", "late", "lost"):
        bench.publish(name)
    bench.channel.ack(1)
    bench.channel.nack(2)
    bench.channel.give_back("", "q", "returned", b"returned")
    bench.channel.ack(3)
    monkeypatch.setattr("broker.publisher.time.monotonic", lambda: 1e9)
    bench.publish("young")
    bench.sweep()
    bench.channel.ack(4)  # late: it has been told already
    bench.close()
    bench.publish("never sent")
    told = [Outcome.CONFIRMED, Outcome.REJECTED, Outcome.UNROUTABLE, Outcome.TIMED_OUT, Outcome.TIMED_OUT]
    assert bench.settled == [*told, Outcome.DISCONNECTED]
