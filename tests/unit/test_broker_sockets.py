"""Sockets are written to at once, waited for only when they have no room, and not made for what is given up."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from broker.connection import Connection
from broker.loops import AsyncioLoop
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


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
async def test_a_connection_given_up_when_its_host_is_just_found_opens_no_socket(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    connection = Connection(AsyncioLoop(), [f"{scheme}://broker.example/"], "given up")
    stopped = asyncio.Event()
    opened: list[Any] = []

    async def found(*_args: Any, **_kwargs: Any) -> list[Any]:
        # Runs when the answer is there, and nobody has heard it yet.
        loop.call_soon(connection.stop, stopped.set)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))]

    def open_socket(*kind: Any) -> Any:
        opened.append(kind)
        raise OSError("no sockets here")

    monkeypatch.setattr(loop, "getaddrinfo", found)
    monkeypatch.setattr("pika.adapters.utils.connection_workflow.socket.socket", open_socket)
    connection.start()
    async with asyncio.timeout(5):
        await stopped.wait()
    assert not opened
