"""How a job gives way to live frames. Its workers do by weight; but what an item costs the broker has no weight.

While frames wait in the live lane, which somebody serves, a job sends only a share of the items that it usually has
answered in a second; when nothing waits any more, it is a little faster each second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import Field

from batch.settings import from_environment
from runtime.settings import EnvironmentSettings

LOOK_SECONDS = 1.0
LOOKS = 3
"""So many looks in a row must find that frames wait: cameras that send at the same moment fill the lane for a blink."""
GROWTH = 1.5
"""So much faster from look to look, when nothing waits any more."""
FADING = 0.999
"""What a job is used to, from look to look: what it could an hour ago it may not be able to do now."""


class CourtesySettings(EnvironmentSettings):
    """Settings of how a job gives way (environment variables)."""

    share: float = Field(
        0.1,
        gt=0,
        le=1,
        validation_alias="BATCH_SHARE",
        description="what a job keeps of its usual speed while live frames wait, and its client of a core that others "
        "want; 1: it never gives way",
    )


def kept_share() -> float:
    """What the environment says that a job keeps. Raises BatchError with a sentence for what is wrong."""
    return from_environment(CourtesySettings).share


class Courtesy:
    """Says when the next item may be sent. Times are monotonic seconds."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._usual = 0.0  # items answered in a second while nothing waited
        self._pace: float | None = None  # items a second; None: as fast as they are answered
        self._waited = 0
        self._looked: float | None = None
        self._answered = 0
        self._sent = float("-inf")
        self._under_way = 0

    @property
    def stands_back(self) -> bool:
        """It is slower than it could be."""
        return self._pace is not None

    def answered(self) -> None:
        """Count an item that workers have answered."""
        self._answered += 1

    def look(self, now: float, *, waits: bool) -> None:
        """Hear whether live frames wait, once a second."""
        rate = 0.0 if self._looked is None else self._answered / (now - self._looked)
        self._looked, self._answered = now, 0
        self._waited = self._waited + 1 if waits else 0
        if self._waited >= LOOKS and self._share < 1:
            self._pace = self._share * self._usual
        elif waits:
            return
        elif self._pace is None:
            self._usual = max(rate, FADING * self._usual)
        else:
            self._pace *= GROWTH
            if self._pace >= self._usual:
                self._pace = None

    def pause(self, now: float) -> float:
        """Seconds until the next item may be sent. A job that began while frames waited sends one after the other."""
        if self._pace is None:
            return 0.0
        if not self._pace:
            return LOOK_SECONDS if self._under_way else 0.0
        return max(0.0, self._sent + 1 / self._pace - now)

    @asynccontextmanager
    async def turn(self, stopping: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait until an item may be sent; it is under way during the block."""
        while not stopping() and (pause := self.pause(time.monotonic())):  # noqa: ASYNC110 - it is time that passes
            await asyncio.sleep(min(pause, LOOK_SECONDS))
        self._sent = time.monotonic()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
