"""pika's connections with fewer system calls per message.

pika reads 4 KiB at a time until nothing is left. It sends each AMQP frame of a message by itself, and only after the
event loop has said that the socket is writable, which it nearly always is. Here a turn of the loop reads once, up to
128 KiB; the frames of a message leave together, and at once; the loop is asked only if the socket has no room.

TLS keeps pika's reading and sending: its buffers are not the socket's.

pika can stop looking a host's name up, but not once the answer is there: then it goes on to connect for a connection
that was given up, and nobody closes the socket. Here the answer does not reach it.

The names that begin with an underscore are pika's own: a new version of pika wants a look at this file.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pika.adapters.asyncio_connection import (
    AsyncioConnection,
    _AsyncioIOReference,
    _AsyncioIOServicesAdapter,
)
from pika.heartbeat import HeartbeatChecker

from broker.wire import content_header

READ_BYTES = 128 * 1024
LOOK_SECONDS = 1.0
MISSED_HEARTBEATS = 2


class SilenceWatch(HeartbeatChecker):  # type: ignore[misc]
    """Sends heartbeats, and ends a connection on which nothing has come for two of them.

    pika looks whether something came five seconds later than it might have, and gives what came just before that a
    second time: a frozen broker is noticed after 13 to 26 seconds where a heartbeat is 8. This looks every second, and
    counts its looks, not the time: a process that was itself stopped reads first what has come meanwhile.
    """

    def __init__(self, connection: Any, timeout: int) -> None:
        super().__init__(connection, timeout)
        connection._adapter_remove_timeout(self._check_timer)
        self._check_interval = LOOK_SECONDS
        self._start_check_timer()

    @property
    def connection_is_idle(self) -> bool:
        """Nothing has come for too long."""
        return bool(self._idle_byte_intervals * LOOK_SECONDS >= MISSED_HEARTBEATS * self._timeout)


class WholeConnection(AsyncioConnection):  # type: ignore[misc]
    """A connection that reads and sends whole messages, whatever their properties are (broker.wire)."""

    def _read_frame(self) -> Any:
        return content_header(self._frame_buffer) or super()._read_frame()

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        super()._output_marshaled_frames([b"".join(marshaled_frames)])

    def _create_heartbeat_checker(self) -> Any:
        return SilenceWatch(self, self.params.heartbeat) if self.params.heartbeat else None

    def _proto_connection_made(self, transport: Any) -> Any:
        if self.params.ssl_options is None:
            transport._MAX_RECV_BYTES = READ_BYTES
            transport._MAX_CONSUME_BYTES = 1  # do not read again only to hear that nothing is left
        return super()._proto_connection_made(transport)


class Lookup(_AsyncioIOReference):  # type: ignore[misc]
    """A name that is looked up. Who gives it up hears nothing of it, even if the answer has just come."""

    def __init__(self, future: Any, on_done: Callable[[Any], None]) -> None:
        self._given_up = False
        super().__init__(future, lambda answer: None if self._given_up else on_done(answer))

    def cancel(self) -> bool:
        """Give it up."""
        self._given_up = True
        return bool(super().cancel())


class Sockets(_AsyncioIOServicesAdapter):  # type: ignore[misc]
    """The services of an asyncio loop for one connection."""

    def _schedule_and_wrap_in_io_ref(self, coro: Any, on_done: Callable[[Any], None]) -> Lookup:
        return Lookup(asyncio.ensure_future(coro, loop=self._loop), on_done)


class EagerSockets(Sockets):
    """Those of a connection whose socket is written to without asking first."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self._connected: set[int] = set()
        self._writing: set[int] = set()

    def set_reader(self, fd: int, on_readable: Callable[[], None]) -> None:
        """A socket that is read is connected: from now on it is written to at once."""
        self._connected.add(fd)
        super().set_reader(fd, on_readable)

    def remove_reader(self, fd: int) -> bool:
        """The connection is given up."""
        self._connected.discard(fd)
        return bool(super().remove_reader(fd))

    def set_writer(self, fd: int, on_writable: Callable[[], None]) -> None:
        """Write; wait for the socket only if something is left."""
        if fd in self._connected:
            self._writing.add(fd)
            on_writable()
            if fd not in self._writing:  # all is sent, or the connection is given up
                return
            self._writing.remove(fd)
        super().set_writer(fd, on_writable)

    def remove_writer(self, fd: int) -> bool:
        """All is sent, or the connection is given up."""
        if fd in self._writing:
            self._writing.remove(fd)
            return True
        return bool(super().remove_writer(fd))
