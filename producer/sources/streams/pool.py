"""The decoding processes of a producer: as few as will do, watched, and replaced when they die."""

import asyncio
import time
from types import TracebackType

from producer.sources.streams.feed import FrameFeed
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.process import DecoderProcess
from producer.sources.streams.seats import Seating, Seats
from producer.sources.streams.watchdog import ProcessFault, blamed

CAMERAS = 8  # per process
MEMORY_MB = 1_000  # per process
WATCH_SECONDS = 1.0
END_SECONDS = 5.0
# A process without a camera stays this long: cameras that are offline are tried again and again.
IDLE_SECONDS = 60.0


class Pool:
    """Used as an asynchronous context manager, or by `start` and `close`; afterwards all its processes are gone."""

    def __init__(self, *, cameras: int = CAMERAS, memory_mb: int = MEMORY_MB) -> None:
        self._seating = Seating(cameras)
        self._limit = memory_mb * 1_000_000
        self._processes: list[DecoderProcess] = []
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Pool":
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to watch the processes. Call it inside the event loop."""
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """End all processes, and wait until they are gone."""
        if self._watching is not None:
            self._watching.cancel()
        for process in self._processes:
            process.end()
        await asyncio.gather(*(process.wait(END_SECONDS) for process in self._processes))

    @property
    def pids(self) -> dict[int, int]:
        """The number of cameras by process id."""
        return {process.pid: process.cameras for process in self._processes if process.usable}

    async def open(self, request: DecodeRequest) -> FrameFeed:
        """Begin to read a source. Whatever goes wrong with the source itself is raised where the feed is read.

        Raises SourceError if no process can be started.
        """
        process = self._seat(request.url)
        feed = process.reserve(request)
        try:
            await process.open(feed)
        except BaseException:
            feed.close()
            raise
        return feed

    def _seat(self, url: str) -> DecoderProcess:
        now = time.monotonic()
        seats = [Seats(each, each.cameras, each.alone) for each in self._processes if each.usable]
        process = self._seating.seat(url, seats, now)
        if process is None:
            process = DecoderProcess(
                self._limit, alone=self._seating.alone(url, now), ended=self._process_ended
            )
            self._processes.append(process)
        return process

    def _process_ended(self, fault: ProcessFault | None, feeds: list[FrameFeed]) -> None:
        guilty = blamed(fault, [feed.camera for feed in feeds])
        self._seating.died({feed.request.url for feed in feeds if feed.camera in guilty}, time.monotonic())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            for process in self._processes:
                process.watch(now)
                if process.usable and not process.cameras and now - process.idle_since > IDLE_SECONDS:
                    process.end()
            self._processes = [process for process in self._processes if not process.gone]
