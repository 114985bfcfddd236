"""When the broker falls silent or goes at the wrong moment; on a loop that the test turns by hand."""

from collections.abc import Callable
from typing import Any

from broker.declare import STEP_SECONDS, declare
from broker.role import Role
from contract.topology import TOPOLOGY


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
