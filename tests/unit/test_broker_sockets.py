"""Sockets are written to at once, and waited for only when they have no room."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.sockets import EagerSockets

FD = 7


class Loop:
    """Records what is registered, as asyncio's loop would have it."""

    READ, WRITE = 1, 4

    def __init__(self) -> None:
        self.events: dict[int, int] = {}

    def add_reader(self, fd: int, _callback: Callable[..., Any]) -> None:
        self.events[fd] = self.events.get(fd, 0) | self.READ

    def add_writer(self, fd: int, _callback: Callable[..., Any]) -> None:
        self.events[fd] = self.events.get(fd, 0) | self.WRITE

    def remove_reader(self, fd: int) -> bool:
        return self._remove(fd, self.READ)

    def remove_writer(self, fd: int) -> bool:
        return self._remove(fd, self.WRITE)

    def _remove(self, fd: int, event: int) -> bool:
        before = self.events.pop(fd, 0)
        if before & ~event:
            self.events[fd] = before & ~event
        return bool(before & event)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def eager(loop: Loop) -> EagerSockets:
    return EagerSockets(loop)


def test_a_connected_socket_is_written_to_at_once(loop: Loop, eager: EagerSockets) -> None:
    written = []

    def writes_everything() -> None:
        written.append(1)
        eager.remove_writer(FD)

    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, writes_everything)
    assert written == [1]
    assert loop.events == {FD: loop.READ}


def test_what_is_left_waits_for_room(loop: Loop, eager: EagerSockets) -> None:
    written = []
    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, lambda: written.append(1))
    assert written == [1]
    assert loop.events[FD] & loop.WRITE
    assert eager.remove_writer(FD)
    assert loop.events == {FD: loop.READ}


def test_a_socket_that_is_just_connecting_is_waited_for(loop: Loop, eager: EagerSockets) -> None:
    eager.set_writer(FD, lambda: pytest.fail("it is not connected yet"))
    assert loop.events[FD] & loop.WRITE


def test_a_connection_given_up_while_writing_is_not_watched_again(loop: Loop, eager: EagerSockets) -> None:
    def breaks() -> None:
        eager.remove_reader(FD)
        eager.remove_writer(FD)

    eager.set_reader(FD, lambda: None)
    eager.set_writer(FD, breaks)
    assert loop.events == {}
    # The number may come back with the next connection, which is connecting first.
    eager.set_writer(FD, lambda: pytest.fail("it is not connected yet"))
    assert loop.events[FD] & loop.WRITE
