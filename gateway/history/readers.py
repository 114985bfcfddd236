"""Questions to the history, answered by a few threads: nobody waits on the event loop, and no pile builds up."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from gateway.errors import HistoryTooSlow, HistoryUnavailable, TooManyQueries
from gateway.history.database import READERS, Database
from gateway.metrics import GatewayMetrics
from gateway.security.holders import Holders, levels
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile

T = TypeVar("T")

MAX_WAITING = 32
"""Questions of one token, with those under way."""
PATIENCE_SECONDS = 10.0
CHUNK_PATIENCE_SECONDS = 60.0
MAX_EXPORTS = 4
SPARE_EXPORTS = 4
"""For tokens that have none under way."""
QUERY_SECONDS = 2.0
CHUNK_SECONDS = 15.0


class HistoryRefusal(HTTPException):
    """A question to the history was not answered: 503, with a sentence. `reason`: busy, slow or unavailable."""

    def __init__(self, reason: str, sentence: str, seconds: int) -> None:
        super().__init__(503, sentence, {"Retry-After": str(seconds)})
        self.reason = reason


class Readers:
    """Answers questions to the history; raises HistoryRefusal where there is no answer.

    One thread is always left for a token that has no question under way, and who has fewer is answered before who has
    more: slow questions are waited for by those who ask them.
    """

    def __init__(self, database: Database, metrics: GatewayMetrics, refusals: Refusals) -> None:
        self._database = database
        self._metrics = metrics
        self._refusals = refusals
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="history")
        self._questions = Turnstile(READERS - 1, 100 * MAX_WAITING, PATIENCE_SECONDS, spare=1)
        self._chunks = Turnstile(1, MAX_EXPORTS + SPARE_EXPORTS, CHUNK_PATIENCE_SECONDS, spare=1)
        self._asked: Counter[str] = Counter()  # by token
        self._exporting: Counter[str] = Counter()
        self._exports = 0

    async def ask(self, holders: Holders, query: str, function: Callable[[Connection], T]) -> T:
        """Return what `function` makes of a connection; `query` names it in the metrics."""
        token, _ = levels(holders)
        if self._asked[token] >= MAX_WAITING:
            raise self._too_much(holders)
        self._asked[token] += 1
        asked = time.monotonic()
        try:
            async with self._questions.passage(holders):
                return await self._run(query, function, QUERY_SECONDS, asked)
        except TooManyQueries:
            raise self._too_much(holders) from None
        finally:
            _decrease(self._asked, token)

    async def ask_chunk(self, holders: Holders, query: str, function: Callable[[Connection], T]) -> T:
        """Ask for a part of an export, which waits for its turn and may take longer."""
        asked = time.monotonic()
        try:
            async with self._chunks.passage(holders), self._questions.passage(holders):
                return await self._run(query, function, CHUNK_SECONDS, asked)
        except TooManyQueries:
            raise self._too_much(holders) from None

    def begin_export(self, holders: Holders) -> Callable[[], None]:
        """Return what is to be called when the export has ended."""
        token, _ = levels(holders)
        most = MAX_EXPORTS + (0 if self._exporting[token] else SPARE_EXPORTS)
        if self._exports >= most:
            self._refusals.note("queries", holders)
            raise self._refused("busy", f"{self._exports} exports are under way: try again later", 30)
        self._exports += 1
        self._exporting[token] += 1

        def end() -> None:
            self._exports -= 1
            _decrease(self._exporting, token)

        return end

    def close(self) -> None:
        """Let the threads go when they have answered."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, query: str, function: Callable[[Connection], T], seconds: float, asked: float) -> T:
        begun = time.monotonic()

        def answer() -> T:
            with self._database.reading(seconds) as connection:
                self._metrics.database_wait.observe(time.monotonic() - asked)
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

    def _too_much(self, holders: Holders) -> HistoryRefusal:
        self._refusals.note("queries", holders)
        return self._refused("busy", "the history is asked too much at once: try again in a second", 1)

    def _refused(self, reason: str, sentence: str, seconds: int) -> HistoryRefusal:
        self._metrics.history_refused.labels(reason).inc()
        return HistoryRefusal(reason, sentence, seconds)


def _decrease(counts: Counter[str], token: str) -> None:
    counts[token] -= 1
    if counts[token] <= 0:
        del counts[token]
