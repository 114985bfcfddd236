"""A decoding process as the producer sees it, from its start to its end. Used on the event loop only."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from typing import Any

import psutil

from producer.errors import SourceError
from producer.sources.streams.feed import FrameFeed
from producer.sources.streams.messages import (
    LENGTH_BYTES,
    DecodeRequest,
    Open,
    Order,
    Ping,
    Pong,
    framed,
    length_of,
    parse_news,
)
from producer.sources.streams.watchdog import ProcessFault, Watchdog
from runtime.confinement import bare
from runtime.logs import get_logger

log: Any = get_logger("producer")

MODULE = "producer.sources.streams.child"
FILE = "file:"
BUSY_SECONDS = 0.05  # a process that has not yet read what was sent
# What a hostile video allocates faster than the watchdog looks; then allocating fails, and its camera alone ends.
AT_ONCE = 1_000_000_000

_numbers = itertools.count(1)


class DecoderProcess:
    """One child process. When it fails, `ended` is told the fault, if one is known, and the feeds that it had."""

    def __init__(
        self,
        memory_limit: int,
        *,
        alone: bool,
        ended: Callable[[ProcessFault | None, list[FrameFeed]], None],
    ) -> None:
        self.alone = alone
        self.idle_since = time.monotonic()
        self.pid = 0
        self._ended = ended
        self._feeds: dict[int, FrameFeed] = {}
        self._memory = memory_limit + AT_ONCE
        self._over = False  # none of its cameras will ever say anything again
        self._watchdog = Watchdog(memory_limit, time.monotonic())
        self._child: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._line: socket.socket | None = None
        self._started = asyncio.create_task(self._start())
        self._started.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._running = asyncio.create_task(self._run())

    @property
    def cameras(self) -> int:
        """The number of cameras that it reads, or is about to read."""
        return len(self._feeds)

    @property
    def usable(self) -> bool:
        """True while the process can take cameras."""
        return not self._over

    @property
    def gone(self) -> bool:
        """True once nothing is left of the process."""
        return self._running.done()

    def reserve(self, request: DecodeRequest) -> FrameFeed:
        """Keep a place for a camera; nothing is started yet."""
        feed = FrameFeed(next(_numbers), request, self._send, self._let_go)
        self._feeds[feed.camera] = feed
        return feed

    async def open(self, feed: FrameFeed) -> None:
        """Begin to read a reserved camera. Raises SourceError if the process does not start, or the file not open."""
        await asyncio.shield(self._started)
        request = feed.request
        if not request.url.startswith(FILE):
            self._send(Open(feed.camera, request))
            return
        file = await asyncio.to_thread(_opened, request.url.removeprefix(FILE), request.shown)
        try:
            await self._send_along(Open(feed.camera, request, with_file=True), file)
        finally:
            os.close(file)

    def watch(self, now: float) -> None:
        """Ask the process how it is, once a second, and end it where the watchdog says so."""
        if not self._started.done() or self._over:
            return
        self._send(Ping())
        fault = self._watchdog.look(self.resident(), now)
        if fault is not None:
            self._kill()
            # Its cameras are told now, not once it is gone: a process that waits for a disk does not even die.
            self._fail(fault, fault.reason, fault.text)

    def resident(self) -> int:
        """The resident memory of the process in bytes; 0 if it is gone."""
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    def end(self) -> None:
        """End a process that is not needed any more; its cameras, if it has any, are told nothing."""
        # It is not asked to end by itself: whatever it holds can be made again, and it may be stuck.
        self._over = True
        self._kill()

    async def wait(self, seconds: float) -> None:
        """Wait until nothing is left of the process, at most this long."""
        await asyncio.wait([self._running], timeout=seconds)

    async def _start(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        try:
            # The child inherits nothing but its standard input, so no connection of ours outlives us in it.
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", MODULE, str(self._memory)),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                cwd="/",
                env=bare(os.environ, network=True),
            )
        except OSError as error:
            ours.close()
            raise SourceError(
                "process", f"a process to decode it cannot be started: {error.strerror}"
            ) from None
        finally:
            theirs.close()
        self.pid = self._child.pid
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._writer.transport.set_write_buffer_limits(high=0)
        self._line = ours
        if self._over:
            self._kill()
        return reader

    async def _run(self) -> None:
        try:
            reader = await self._started
        except SourceError as error:
            self._fail(None, error.reason, str(error))
            return
        try:
            await self._hear(reader)
        except ValueError:
            log.exception("a decoding process speaks nonsense", pid=self.pid)
        finally:
            self._kill()
            assert self._child is not None  # noqa: S101 - it was started
            assert self._writer is not None  # noqa: S101
            code = await self._child.wait()
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._fail(None, "crashed", f"the process that decodes it ended ({_how(code)})")

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(LENGTH_BYTES)
                news = parse_news(await reader.readexactly(length_of(head)))
                if isinstance(news, Pong):
                    self._watchdog.answered(news.busy, time.monotonic())
                elif (feed := self._feeds.get(news.camera)) is not None:
                    feed.heard(news)

    def _send(self, order: Order) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(framed(order))

    async def _send_along(self, order: Order, file: int) -> None:
        """Send an order with an open file, which asyncio cannot do: what it has still to send must go before."""
        assert self._line is not None  # noqa: S101 - it was started
        assert self._writer is not None  # noqa: S101
        data = framed(order)
        with contextlib.suppress(ConnectionError):  # the process is gone: its cameras are told
            while not self._writer.is_closing():
                await self._writer.drain()
                try:
                    sent = socket.send_fds(self._line, [data], [file])
                except BlockingIOError:
                    await asyncio.sleep(BUSY_SECONDS)
                else:
                    self._writer.write(data[sent:])
                    return

    def _let_go(self, feed: FrameFeed) -> None:
        if self._feeds.pop(feed.camera, None) is not None:
            self.idle_since = time.monotonic()

    def _kill(self) -> None:
        if self._child is not None and self._child.returncode is None:
            # `asyncio.subprocess.Process.kill` would take the exit code away from asyncio, which waits for it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _fail(self, fault: ProcessFault | None, reason: str, text: str) -> None:
        if self._over:
            return
        self._over = True
        feeds = list(self._feeds.values())
        for feed in feeds:
            feed.failed(_error(feed, fault, reason, text))
        log.warning("decoding process ended", pid=self.pid, reason=reason, detail=text, cameras=len(feeds))
        self._ended(fault, feeds)


def _opened(path: str, shown: str) -> int:
    """The descriptor of the file, open for reading. Blocks; raises SourceError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for its writer
    except FileNotFoundError:
        raise SourceError("missing", f"{shown} does not exist: check its path") from None
    except PermissionError:
        raise SourceError("forbidden", f"{shown} may not be read by this user") from None
    except OSError as error:
        raise SourceError("io_error", f"{shown} cannot be read: {error.strerror}") from None
    os.set_blocking(file, True)
    return file


def _error(feed: FrameFeed, fault: ProcessFault | None, reason: str, text: str) -> SourceError:
    shown = feed.request.shown
    if fault is None or fault.guilty is None or feed.camera in fault.guilty:
        return SourceError(reason, f"{shown}: {text}")
    return SourceError("restarted", f"{shown}: its process was ended because another camera was stuck in it")


def _how(code: int) -> str:
    """How a process ended, in words; `code` is minus the number of the signal that ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
