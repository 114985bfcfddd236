"""A connection that is made again: what is there already is not declared before the work begins."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker

from broker.connection import Connection
from broker.declare import STEP_SECONDS
from broker.role import MISSED_SECONDS, Role
from broker.sockets import LOOK_SECONDS, MISSED_HEARTBEATS, SilenceWatch
from contract.topology import TOPOLOGY

URLS = ["amqp://one/", "amqp://two/", "amqp://three/"]


class Node:
    """What a node answers. While `silent` it waits for another one with every transaction of the cluster."""

    def __init__(self) -> None:
        self.silent = False
        self.missing: set[str] = set()
        self.asked: list[str] = []


class NodeChannel:
    """Answers at once, or never."""

    def __init__(self, node: Node) -> None:
        self.is_open = True
        self._node = node
        self._closed: Callable[[Any, Any], None] = lambda channel, reason: None

    def add_on_close_callback(self, callback: Callable[[Any, Any], None]) -> None:
        self._closed = callback

    def close(self) -> None:
        self.is_open = False

    def exchange_declare(self, name: str, *_type: str, callback: Callable[[Any], None], **how: Any) -> None:
        self._declare(name, callback, how)

    def queue_declare(self, name: str, *, callback: Callable[[Any], None], **how: Any) -> None:
        self._declare(name, callback, how)

    def queue_bind(
        self, name: str, exchange: str, *, routing_key: str, callback: Callable[[Any], None]
    ) -> None:
        self._node.asked.append(f"bind {name}")
        if not self._node.silent:
            callback(None)

    def _declare(self, name: str, callback: Callable[[Any], None], how: dict[str, Any]) -> None:
        self._node.asked.append(f"{'look up' if how.get('passive') else 'declare'} {name}")
        if how.get("passive") and name in self._node.missing:
            self._closed(self, ChannelClosedByBroker(404, f"NOT_FOUND - no queue '{name}'"))
            return
        self._node.missing.discard(name)
        callback(None)


class HandLoop:
    """Connects at once, and runs timers when the test says so."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.hosts: list[str] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.lose: Callable[[], None] = lambda: None
        self.closed = 0

    def call_later(self, delay: float, callback: Callable[[], None]) -> Callable[[], None]:
        timer = (delay, callback)
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        callback()

    def run(self, delay: float) -> None:
        """Let the timers of exactly that delay run out."""
        due = [timer for timer in self.timers if timer[0] == delay]
        self.timers = [timer for timer in self.timers if timer[0] != delay]
        for _, callback in due:
            callback()

    def reconnect(self) -> None:
        """Lose the connection, and let its backoff be over."""
        self.lose()
        (retry,) = [timer for timer in self.timers if timer[0] < MISSED_SECONDS]
        self.timers.remove(retry)
        retry[1]()

    def connect(self, parameters: Any, *, opened: Any, failed: Any, closed: Any) -> Any:
        self.hosts.append(parameters.host)
        connection = SimpleNamespace(
            is_open=True,
            is_closing=False,
            add_on_connection_blocked_callback=lambda callback: None,
            add_on_connection_unblocked_callback=lambda callback: None,
            channel=lambda on_open_callback: on_open_callback(NodeChannel(self.node)),
            close=self._close,
        )

        def lose() -> None:
            connection.is_open = False
            closed(connection, ConnectionResetError())

        self.lose = lose
        # pika reports after `connect` has returned.
        self.timers.append((0.0, lambda: opened(connection)))
        return connection

    def _close(self) -> None:
        self.closed += 1


class Worker(Role):
    """Counts how often it could begin."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    def _opened(self, channel: Any) -> None:
        self.begun += 1


@pytest.fixture
def loop() -> HandLoop:
    return HandLoop(Node())


@pytest.fixture
def role() -> Worker:
    return Worker()


@pytest.fixture
def connection(loop: HandLoop, role: Worker) -> Connection:
    """Connected, with everything declared."""
    made = Connection(loop, URLS, "test", [role])  # type: ignore[arg-type]
    made.start()
    loop.run(0.0)
    assert made.ready
    assert role.begun == 1
    assert [each for each in loop.node.asked if each.startswith("bind")]
    loop.node.asked.clear()
    return made


def test_what_is_there_holds_nobody_back(loop: HandLoop, role: Worker, connection: Connection) -> None:
    """A frozen node lets every binding wait until it is given up; the others are there, and have the queues."""
    loop.node.silent = True
    loop.reconnect()
    loop.run(0.0)
    assert connection.ready
    assert role.begun == 2
    names = [each.name for each in TOPOLOGY.exchanges] + [each.name for each in TOPOLOGY.queues]
    assert loop.node.asked == [f"look up {name}" for name in names]


def test_the_topology_is_looked_after_all_the_same(loop: HandLoop, connection: Connection) -> None:
    loop.reconnect()
    loop.run(0.0)
    loop.run(MISSED_SECONDS)
    assert "bind frame_queue" in loop.node.asked


def test_what_cannot_be_looked_after_is_no_reason_to_leave(loop: HandLoop, connection: Connection) -> None:
    loop.node.silent = True
    for _ in range(3):
        connection.ensure_topology()
        loop.run(MISSED_SECONDS)
        loop.run(STEP_SECONDS)
    assert connection.ready
    assert not loop.closed


def test_what_is_missing_is_declared_first(loop: HandLoop, role: Worker, connection: Connection) -> None:
    loop.node.missing.add("result_queue")
    loop.reconnect()
    loop.run(0.0)
    assert "declare result_queue" in loop.node.asked
    assert role.begun == 2


def test_a_node_that_is_silent_from_the_start_is_left_for_the_next(loop: HandLoop) -> None:
    loop.node.silent = True
    made = Connection(loop, URLS, "test", [])  # type: ignore[arg-type]
    made.start()
    loop.run(0.0)
    loop.run(STEP_SECONDS)
    assert not made.ready
    assert loop.closed == 1


def test_after_a_loss_it_is_the_next_nodes_turn(loop: HandLoop, connection: Connection) -> None:
    """However often it was well in between: the one that was just lost may listen, and be frozen."""
    for _ in range(3):
        loop.reconnect()
        loop.run(0.0)
        assert connection.ready
    assert loop.hosts == ["one", "two", "three", "one"]


class Heard:
    """A connection that counts bytes, and timers that the test runs."""

    def __init__(self) -> None:
        self.bytes_received = self.bytes_sent = 0
        self.ended: list[Exception] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def _adapter_call_later(self, delay: float, callback: Callable[[], None]) -> object:
        timer = (delay, callback)
        self.timers.append(timer)
        return timer

    def _adapter_remove_timeout(self, timer: Any) -> None:
        self.timers.remove(timer)

    def _terminate_stream(self, error: Exception) -> None:
        self.ended.append(error)

    def look(self) -> None:
        (due,) = [timer for timer in self.timers if timer[0] == LOOK_SECONDS]
        self.timers.remove(due)
        due[1]()


def test_a_broker_that_is_silent_for_two_heartbeats_is_given_up() -> None:
    heard = Heard()
    SilenceWatch(heard, 4)
    looks = int(MISSED_HEARTBEATS * 4 / LOOK_SECONDS)
    for _ in range(2):  # it says something at the last moment
        for _ in range(looks - 1):
            heard.look()
        heard.bytes_received += 8
    for _ in range(looks):
        assert not heard.ended
        heard.look()
    assert not heard.ended, "the first look found what it had said"
    heard.look()
    assert heard.ended
