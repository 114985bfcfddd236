"""Questions to the history, answered by a few threads: nobody waits on the event loop, and no pile builds up."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from gateway.errors import HistoryTooSlow, HistoryUnavailable
from gateway.history.database import READERS, Database
from gateway.metrics import GatewayMetrics

T = TypeVar("T")

MAX_WAITING = 32
MAX_EXPORTS = 4
QUERY_SECONDS = 2.0
CHUNK_SECONDS = 15.0


class Readers:
    """Answers questions to the history; raises HTTPException 503 with a sentence where there is no answer."""

    def __init__(self, database: Database, metrics: GatewayMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="history")
        self._waiting = 0
        self._exports = 0

    async def ask(self, query: str, function: Callable[[Connection], T]) -> T:
        """Return what `function` makes of a connection; `query` names it in the metrics."""
        if self._waiting >= MAX_WAITING:
            raise self._refused("busy", "the history is asked too much at once: try again in a second", 1)
        self._waiting += 1
        try:
            return await self._run(query, function, QUERY_SECONDS)
        finally:
            self._waiting -= 1

    async def ask_chunk(self, query: str, function: Callable[[Connection], T]) -> T:
        """Ask for a part of an export, which waits for its turn and may take longer."""
        return await self._run(query, function, CHUNK_SECONDS)

    def begin_export(self) -> None:
        """Call `end_export` when it has ended."""
        if self._exports >= MAX_EXPORTS:
            raise self._refused("busy", f"{MAX_EXPORTS} exports are under way: try again later", 30)
        self._exports += 1

    def end_export(self) -> None:
        self._exports -= 1

    def close(self) -> None:
        """Let the threads go when they have answered."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, query: str, function: Callable[[Connection], T], seconds: float) -> T:
        begun = time.monotonic()

        def answer() -> T:
            with self._database.reading(seconds) as connection:
                return function(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, answer)
        except HistoryTooSlow:
            raise self._refused(
                "slow",
                f"the answer would take longer than {seconds:g} s: ask for fewer cameras, "
                "or for a shorter time with from and to",
                5,
            ) from None
        except HistoryUnavailable as error:
            raise self._refused("unavailable", str(error), 5) from None
        finally:
            self._metrics.history_queries.labels(query).observe(time.monotonic() - begun)

    def _refused(self, reason: str, sentence: str, seconds: int) -> HTTPException:
        self._metrics.history_refused.labels(reason).inc()
        return HTTPException(503, sentence, {"Retry-After": str(seconds)})
