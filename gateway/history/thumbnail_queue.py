"""Pictures on their way into the history, a few at most."""

import asyncio
from collections import deque

from gateway.history.thumbnail_store import Thumbnail

MAX_THUMBNAILS = 256
AT_ONCE = 32
"""In one transaction, which waits for the disk once."""


class ThumbnailQueue:
    """Filled by the thumbnailer, emptied by the recorder. Of too many the oldest are forgotten."""

    def __init__(self) -> None:
        self._waiting: deque[Thumbnail] = deque(maxlen=MAX_THUMBNAILS)
        self._filled = asyncio.Event()

    def put(self, thumbnail: Thumbnail) -> None:
        """Have it written soon."""
        self._waiting.append(thumbnail)
        self._filled.set()

    async def get(self) -> list[Thumbnail]:
        """Wait until there are some, and take them."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
