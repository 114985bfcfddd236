"""A turnstile lets so many through at once and so many wait: a pile-up is refused while it is small."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.errors import TooManyQueries


class Turnstile:
    """Lets `width` through at once; `queue` more may wait, each `patience` seconds."""

    def __init__(self, width: int, queue: int, patience: float) -> None:
        self._free = asyncio.Semaphore(width)
        self._queue = queue
        self._patience = patience
        self.waiting = 0

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """A place for the length of the block. Raises TooManyQueries."""
        await self._enter()
        try:
            yield
        finally:
            self._free.release()

    async def _enter(self) -> None:
        if self._free.locked():
            if self.waiting >= self._queue:
                raise TooManyQueries
            self.waiting += 1
            try:
                async with asyncio.timeout(self._patience):
                    await self._free.acquire()
            except TimeoutError:
                raise TooManyQueries from None
            finally:
                self.waiting -= 1
        else:
            await self._free.acquire()
