"""When the broker falls silent or goes at the wrong moment; on a loop that the test turns by hand."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika import spec
from pika.callback import CallbackManager
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker
from pika.frame import Method

from broker import connection as connections
from broker.connection import STEADY_SECONDS, Connection
from broker.consumer import BIND_SECONDS, LISTEN_SECONDS, Consumer, Delivery
from broker.declare import STEP_SECONDS, declare
from broker.role import MISSED_SECONDS, Role
from contract.topology import TOPOLOGY, EphemeralQueue


class HandLoop:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Callable[[], None]:
        timer = (delay, callback)
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def run(self) -> None:
        timers, self.timers = self.timers, []
        for _, callback in timers:
            callback()


class SilentConnection:
    """Open, and never answers."""

    def __init__(self) -> None:
        self.loop = HandLoop()
        self.open = True
        self.blocked = False
        self.channels_asked = 0
        self.redeclared = 0

    def open_channel(self, opened: Callable[[Any], None]) -> None:
        self.channels_asked += 1

    def redeclare(self, role: Role) -> None:
        self.redeclared += 1


class Quiet(Role):
    def _opened(self, channel: Any) -> None:
        pass


def test_a_declaration_that_is_never_answered_fails_and_may_be_tried_again() -> None:
    connection: Any = SilentConnection()
    failures: list[tuple[str, bool]] = []
    declare(
        connection, TOPOLOGY, lambda: None, lambda reason, permanent: failures.append((reason, permanent))
    )
    assert [delay for delay, _ in connection.loop.timers] == [STEP_SECONDS]
    connection.loop.run()
    ((reason, permanent),) = failures
    assert "not answered" in reason
    assert not permanent


def test_an_answer_that_comes_after_the_declaration_was_given_up_ends_nothing() -> None:
    """On pika's own channel: it hands the answer on although it is closing, and refuses whatever is asked then."""
    connection: Any = SilentConnection()
    wire: Any = SimpleNamespace(callbacks=CallbackManager(), params=None)
    asked: list[Any] = []
    wire._send_method = lambda number, method, content=None: asked.append(method)
    channel = Channel(wire, 1, lambda opened: None)
    channel._set_state(Channel.OPEN)
    connection.open_channel = lambda opened: opened(channel)
    failures: list[str] = []
    declare(connection, TOPOLOGY, lambda: None, lambda reason, _: failures.append(reason))
    bound = next(queue.name for queue in TOPOLOGY.queues if queue.bindings)
    for _ in range(len(TOPOLOGY.exchanges) + len(TOPOLOGY.queues)):
        if getattr(asked[-1], "queue", None) == bound:
            break
        _answer(wire, channel, asked[-1])
    assert isinstance(asked[-1], spec.Queue.Declare)
    connection.loop.run()
    assert "not answered" in failures[0]
    _answer(wire, channel, asked[-1])
    assert isinstance(asked[-1], spec.Channel.Close)
    assert len(failures) == 1


def _answer(wire: Any, channel: Channel, method: Any) -> None:
    answers: dict[type, Any] = {
        spec.Exchange.Declare: spec.Exchange.DeclareOk(),
        spec.Queue.Declare: spec.Queue.DeclareOk(getattr(method, "queue", ""), 0, 0),
        spec.Queue.Bind: spec.Queue.BindOk(),
    }
    answer = answers[type(method)]
    wire.callbacks.process(1, type(answer), channel, Method(1, answer))


def test_in_an_alarm_the_broker_may_be_silent() -> None:
    connection: Any = SilentConnection()
    connection.blocked = True
    failures: list[str] = []
    declare(connection, TOPOLOGY, lambda: None, lambda reason, _: failures.append(reason))
    connection.loop.run()
    assert not failures
    connection.blocked = False
    connection.loop.run()
    assert failures


def test_a_channel_lost_just_before_its_connection_is_opened_once() -> None:
    """Twice would be two consumers, one of them forgotten."""
    connection: Any = SilentConnection()
    role = Quiet()
    role.attach(connection)
    channel: Any = type("Channel", (), {"add_on_close_callback": lambda self, callback: None})()
    role._channel_opened(channel)
    role._channel_closed(channel, RuntimeError("a queue was deleted"))
    assert connection.loop.timers  # opened again after a while
    role.detach()  # but the connection goes first, and the next one attaches
    connection.loop.run()
    assert connection.redeclared == 0


@pytest.mark.parametrize(("code", "least"), [(404, MISSED_SECONDS), (406, 0.0)])
def test_a_queue_that_is_missed_is_not_declared_before_its_deletion_is_over(code: int, least: float) -> None:
    """What is confirmed into a queue declared meanwhile would go with the old one."""
    connection: Any = SilentConnection()
    role = Quiet()
    role.attach(connection)
    channel: Any = type("Channel", (), {"add_on_close_callback": lambda self, callback: None})()
    role._channel_opened(channel)
    role._channel_closed(channel, ChannelClosedByBroker(code, "why"))
    ((delay, _),) = connection.loop.timers
    assert least < delay < least + MISSED_SECONDS


class CountedChannel:
    """Subscribes at once, and tells how many messages wait."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting
        self.asked = 0
        self.closed = False
        self.deliver: Callable[..., None] = lambda *message: None

    def add_on_close_callback(self, callback: Any) -> None: ...

    def add_on_cancel_callback(self, callback: Any) -> None: ...

    def basic_qos(self, *, prefetch_count: int, callback: Callable[[Any], None]) -> None:
        callback(None)

    def basic_consume(
        self, name: str, deliver: Callable[..., None], *, auto_ack: bool, callback: Callable[[Any], None]
    ) -> None:
        self.deliver = deliver
        callback(SimpleNamespace(method=SimpleNamespace(consumer_tag="tag")))

    def queue_declare(self, name: str, *, passive: bool, callback: Callable[[Any], None]) -> None:
        self.asked += 1
        callback(SimpleNamespace(method=SimpleNamespace(message_count=self.waiting)))

    def close(self) -> None:
        self.closed = True


def subscribed(
    prefetch: int, waiting: int = 0, received: Callable[[Delivery], None] = lambda delivery: None
) -> tuple[CountedChannel, HandLoop]:
    connection: Any = SilentConnection()
    channel: Any = CountedChannel(waiting)
    consumer = Consumer("frame_queue", received, prefetch=prefetch)
    consumer.attach(connection)
    consumer._channel_opened(channel)
    assert [delay for delay, _ in connection.loop.timers] == [LISTEN_SECONDS]
    return channel, connection.loop


def test_a_consumer_that_is_brought_nothing_of_what_waits_subscribes_anew() -> None:
    channel, loop = subscribed(prefetch=2)
    for _ in range(3):
        loop.run()
    assert not channel.closed, "nothing waits"
    channel.waiting = 5
    loop.run()
    assert not channel.closed, "it may be on its way"
    loop.run()
    assert channel.closed


def test_a_consumer_that_has_all_it_may_hold_or_is_brought_more_is_left_alone() -> None:
    channel, loop = subscribed(prefetch=2)
    channel.waiting = 5
    for _ in range(2):  # a message between every two looks, and then as many as it may hold
        loop.run()
        channel.deliver(channel, None, None, b"")
    for _ in range(4):
        loop.run()
    assert not channel.closed
    assert channel.asked > 1, "not only when it subscribed"


def test_what_waits_when_a_consumer_subscribes_is_the_backlog_and_nothing_after_it() -> None:
    backlog: list[bool] = []
    channel, _ = subscribed(2, 3, lambda delivery: backlog.append(delivery.backlog))
    for _ in range(5):
        channel.deliver(channel, None, None, b"")
    assert backlog == [True, True, True, False, False]


def test_a_backlog_that_others_have_taken_is_over() -> None:
    backlog: list[bool] = []
    channel, loop = subscribed(2, 5_000, lambda delivery: backlog.append(delivery.backlog))
    channel.waiting = 1
    channel.deliver(channel, None, None, b"")  # it is not brought nothing, and looks all the same
    loop.run()
    for _ in range(5):
        channel.deliver(channel, None, None, b"")
    assert backlog == [True] + [True] * 3 + [False] * 2, "one waits, and two may be under way"


class BoundChannel(CountedChannel):
    """Declares, binds and answers at once; `bound` is what it was asked for."""

    is_open = True

    def __init__(self) -> None:
        super().__init__()
        self.bound: list[str] = []

    def queue_declare(self, name: str, *, callback: Callable[[Any], None], **_arguments: Any) -> None:
        callback(SimpleNamespace(method=SimpleNamespace(queue="own")))

    def queue_bind(
        self, name: str, exchange: str, *, routing_key: str, callback: Callable[[Any], None] | None = None
    ) -> None:
        self.bound.append(routing_key)
        if callback is not None:
            callback(None)

    def queue_unbind(self, name: str, exchange: str, *, routing_key: str) -> None: ...


def test_a_queue_of_our_own_is_bound_again_to_what_it_is_bound_to_by_then() -> None:
    """An exchange that is deleted and declared again has lost its bindings, and nobody says so."""
    connection: Any = SilentConnection()
    channel: Any = BoundChannel()
    consumer = Consumer(EphemeralQueue((("watch", "a"),)), lambda delivery: None, no_ack=True)
    consumer.attach(connection)
    consumer._channel_opened(channel)
    consumer.bind("watch", "b")
    consumer.bind("watch", "c")
    consumer.unbind("watch", "a")
    channel.bound.clear()
    for _ in range(2):
        assert [delay for delay, _ in connection.loop.timers] == [BIND_SECONDS]
        connection.loop.run()
    assert sorted(channel.bound) == ["b", "b", "c", "c"]
    channel.bound.clear()
    connection.blocked = True  # in an alarm nothing would answer, and all of it would wait
    connection.loop.run()
    connection.blocked = False
    consumer.detach()
    connection.loop.run()
    assert channel.bound == []
    assert connection.loop.timers == [], "the next channel looks after itself"


def test_a_connection_that_is_closed_each_time_is_made_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is done on it may be why: five attempts a second would go on for ever."""
    now = [0.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    loop: Any = HandLoop()
    connection = Connection(loop, ["amqp://127.0.0.1/"], "test")
    delays = []
    for stood in (0.1, 0.1, 0.1, 0.1, STEADY_SECONDS + 1):
        connection._declared()
        now[0] += stood
        connection._lost("INTERNAL_ERROR")
        delays.append(loop.timers.pop()[0])
    assert delays[3] >= 0.8
    assert delays[4] <= 0.2, "it had stood for a while"
