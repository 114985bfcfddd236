"""Thumbnails on their way into the history, a few at most."""

import asyncio
import time
from collections import deque

from gateway.history.thumbnail_store import Thumbnail

DELAY_SECONDS = 1.0
"""A picture may be here before its result is stored, and with it the event that it belongs to."""
MAX_THUMBNAILS = 64


class ThumbnailQueue:
    """Filled by the thumbnailer, emptied by the recorder. Of too many the oldest are forgotten."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Thumbnail]] = deque(maxlen=MAX_THUMBNAILS)
        self._filled = asyncio.Event()

    def put(self, thumbnail: Thumbnail) -> None:
        """Have it written soon."""
        self._waiting.append((time.monotonic(), thumbnail))
        self._filled.set()

    async def get(self) -> Thumbnail:
        """Wait for the next one whose result is stored by now."""
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            wait = self._waiting[0][0] + DELAY_SECONDS - time.monotonic()
            if wait <= 0:
                return self._waiting.popleft()[1]
            await asyncio.sleep(wait)
