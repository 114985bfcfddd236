"""A TCP proxy on loopback that breaks the link: cut, hold, half-open, latency, bandwidth. On the test's event loop."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from cli.ports import LOOPBACK

CHUNK = 16 * 1024
Mode = Literal["forward", "hold", "swallow"]


class Link:
    """One connection through the proxy. `mode` says what becomes of its bytes, both ways."""

    def __init__(self, proxy: "Proxy", client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.mode: Mode = "forward"
        self._proxy = proxy
        self._writers = (client, server)
        self._free_at = [0.0, 0.0]  # when the line is free again, per direction

    async def pump(self, direction: int, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        """Carry bytes until one side ends."""
        pipe: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)  # bytes under way, with their arrival
        deliver = asyncio.create_task(self._deliver(pipe, to))
        try:
            while data := await source.read(CHUNK):
                await self._proxy.flowing(self)
                if self.mode == "swallow":
                    continue
                await pipe.put((self._arrival(direction, len(data)), data))
            await pipe.put((0.0, b""))
            await deliver
        finally:
            deliver.cancel()

    def _arrival(self, direction: int, size: int) -> float:
        now = time.monotonic()
        if self._proxy.bits_per_second:
            begin = max(now, self._free_at[direction])
            self._free_at[direction] = begin + size * 8 / self._proxy.bits_per_second
            return self._free_at[direction] + self._proxy.latency
        return now + self._proxy.latency

    async def _deliver(self, pipe: "asyncio.Queue[tuple[float, bytes]]", to: asyncio.StreamWriter) -> None:
        while True:
            arrival, data = await pipe.get()
            if not data:
                return
            await asyncio.sleep(max(0.0, arrival - time.monotonic()))
            await self._proxy.flowing(self)
            if self.mode == "forward":
                to.write(data)
                await to.drain()

    def abort(self) -> None:
        """Reset both sides at once."""
        for writer in self._writers:
            writer.transport.abort()


class Proxy:
    """Listens on `port` and carries every connection to `target`. `latency` is in seconds, one way."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.latency = 0.0
        self.bits_per_second = 0.0
        self.links: set[Link] = set()
        self.accepted = 0
        self._target = target
        self._refusing = False
        self._changed = asyncio.Event()
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, amqp_url: str) -> str:
        """The same URL, through the proxy."""
        return re.sub(r"@[^/]+/", f"@{LOOPBACK}:{self.port}/", amqp_url, count=1)

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Reset every connection; nothing stays behind."""
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection and every new one, until `mend`."""
        self._refusing = True
        for link in self.links:
            link.abort()

    def hold(self) -> None:
        """No byte passes until `mend`, and nobody is told: a switch that restarts."""
        self._set("hold")

    def half_open(self) -> None:
        """What is open now never carries a byte again, and nobody is told. New connections work."""
        self._set("swallow")

    def mend(self) -> None:
        """Forward again, what was held first."""
        self._refusing = False
        self._set("forward")

    async def flowing(self, link: Link) -> None:
        """Wait while the link is held."""
        while link.mode == "hold":
            await self._changed.wait()

    def _set(self, mode: Mode) -> None:
        for link in self.links:
            link.mode = mode
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        with contextlib.suppress(OSError):
            there, to_server = await asyncio.open_connection(LOOPBACK, self._target)
            link = Link(self, writer, to_server)
            self.links.add(link)
            try:
                pumps = [
                    asyncio.create_task(link.pump(0, reader, to_server)),
                    asyncio.create_task(link.pump(1, there, writer)),
                ]
                done, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for pump in pending:
                    pump.cancel()
                await asyncio.gather(*done, *pending, return_exceptions=True)
            finally:
                link.abort()
                self.links.discard(link)
        self._tasks.discard(task)


@asynccontextmanager
async def proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    """A running proxy to the broker of the URL."""
    found = re.search(r":(\d+)/[^/]*$", amqp_url)
    assert found, "the URL names no port"
    opened = Proxy(int(found[1]))
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()
