"""A small HTTP/1.1 server for tests that writes its answers byte by byte: no library would let it misbehave so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cli.ports import LOOPBACK


@dataclass(frozen=True)
class Request:
    """One request as the server read it; header names in lower case."""

    path: str
    query: str
    headers: dict[str, str]
    peer: tuple[str, int]


Answer = Callable[[Request, asyncio.StreamWriter, str], Coroutine[Any, Any, None]]


class HttpServer:
    """`/name/argument` is answered by the method `on_name(request, writer, argument)`.

    `requests` is what it was asked, `unfinished` how many answers it is giving at this moment, and `most` how many it
    ever gave at once; these two by path.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.unfinished: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._writers: set[asyncio.StreamWriter] = set()

    def asked(self, path: str) -> list[Request]:
        """The requests to one path."""
        return [request for request in self.requests if request.path == path]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until the end of the block, and all its connections with it."""
        tasks: set[asyncio.Task[None]] = set()

        loop = asyncio.get_running_loop()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = loop.create_task(self._connected(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await loop.create_server(lambda: _Protocol(asyncio.StreamReader(), connected), LOOPBACK, 0)
        self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            self._hang_up()
            for task in list(tasks):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, for as many requests as it makes."""
        self._writers.add(writer)
        gone = asyncio.create_task(writer.wait_closed())
        try:
            while (request := await _read(reader, writer)) is not None:
                self.requests.append(request)
                self.unfinished[request.path] += 1
                self.most[request.path] = max(self.most[request.path], self.unfinished[request.path])
                try:
                    name, _, argument = request.path[1:].partition("/")
                    answer: Answer = getattr(self, f"on_{name}")
                    answering = asyncio.create_task(answer(request, writer, argument))
                    await _until_either(answering, gone)
                    await writer.drain()
                finally:
                    self.unfinished[request.path] -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            gone.cancel()
            writer.transport.abort()
            self._writers.discard(writer)

    def _hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class _Protocol(asyncio.StreamReaderProtocol):
    """A connection that ends when the client hangs up, not only when the next write fails."""

    def eof_received(self) -> bool:
        super().eof_received()
        return False


async def _until_either(answering: asyncio.Task[None], gone: asyncio.Task[None]) -> None:
    """Until the answer is given, or nobody listens to it any more."""
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    first = await reader.readline()
    if not first:
        return None
    headers = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin1").partition(":")
        headers[name.strip().lower()] = value.strip()
    path, _, query = first.split()[1].decode().partition("?")
    return Request(path, query, headers, writer.get_extra_info("peername")[:2])
