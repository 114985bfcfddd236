"""Sockets are written to at once, and waited for only when they have no room."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.sockets import Eager

FD = 7


class Loop:
    """Records what is registered, as a selector loop would have it."""

    READ, WRITE, ERROR = 1, 4, 8

    def __init__(self) -> None:
        self.events: dict[int, int] = {}

    def add_handler(self, fd: int, _handler: Callable[..., Any], events: int) -> None:
        self.events[fd] = events

    def update_handler(self, fd: int, events: int) -> None:
        self.events[fd] = events

    def remove_handler(self, fd: int) -> None:
        del self.events[fd]


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def eager(loop: Loop) -> Eager:
    return Eager(loop)


def test_a_connected_socket_is_written_to_at_once(loop: Loop, eager: Eager) -> None:
    written = []

    def writes_everything() -> None:
        written.append(1)
        eager.remove_writer(FD)

    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, writes_everything)
    assert written == [1]
    assert loop.events == {FD: loop.READ}


def test_what_is_left_waits_for_room(loop: Loop, eager: Eager) -> None:
    written = []
    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, lambda: written.append(1))
    assert written == [1]
    assert loop.events[FD] & loop.WRITE
    assert eager.remove_writer(FD)
    assert loop.events == {FD: loop.READ}


def test_a_socket_that_is_just_connecting_is_waited_for(loop: Loop, eager: Eager) -> None:
    eager.set_writer(FD, lambda: pytest.fail("it is not connected yet"))
    assert loop.events[FD] & loop.WRITE


def test_a_connection_given_up_while_writing_is_not_watched_again(loop: Loop, eager: Eager) -> None:
    def breaks() -> None:
        eager.remove_reader(FD)
        eager.remove_writer(FD)

    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, breaks)
    assert loop.events == {}
    # The number may come back with the next connection, which is connecting first.
    eager.set_writer(FD, lambda: pytest.fail("it is not connected yet"))
    assert loop.events[FD] & loop.WRITE
