"""An answer of Prometheus that many dashboards share: none waits for a Prometheus that is known to be away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from gateway.errors import PrometheusError

KEEP_SECONDS = 2.0
DOWN_SECONDS = 5.0
PATIENCE_SECONDS = 3.0
T = TypeVar("T")


class SharedAnswer(Generic[T]):
    """An answer that many dashboards share: asked once, kept for two seconds; a failure for five.

    While Prometheus is known not to answer nobody waits for it: it is asked again beside, and shows when it is back.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._task: asyncio.Task[T | PrometheusError] | None = None
        self._failure: PrometheusError | None = None
        self._until = 0.0
        self.failing_since: float | None = None
        """Unix time of the first of the failures in a row; None while it answers."""

    async def get(self) -> T:
        """The answer. Raises PrometheusError."""
        if self._task is None or (self._task.done() and time.monotonic() >= self._until):
            self._task = asyncio.create_task(self._run())
        if self._failure is not None and not self._task.done():
            raise self._failure.with_traceback(None)
        outcome = await asyncio.shield(self._task)  # whoever goes away takes nobody's answer along
        if isinstance(outcome, PrometheusError):
            raise outcome.with_traceback(None)
        return outcome

    async def _run(self) -> T | PrometheusError:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._ask()
        except TimeoutError:
            words = f"Prometheus did not answer within {PATIENCE_SECONDS:g} s"
            self._failure = PrometheusError(504, "timeout", words)
        except PrometheusError as error:
            self._failure = error
        else:
            self._failure = self.failing_since = None
            self._until = time.monotonic() + KEEP_SECONDS
            return answer
        self._until = time.monotonic() + DOWN_SECONDS
        if self.failing_since is None:
            self.failing_since = time.time()
        return self._failure
