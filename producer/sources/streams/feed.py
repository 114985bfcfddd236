"""One camera as the producer sees it: its frames as they come out of the process that decodes it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from producer.errors import SourceError
from producer.frames import Captured, Encoded, Skipped
from producer.sources.streams.messages import Close, Ended, KeyframesOnly, Left, Order, Picture, Request, Take


class Feed:
    """Made by a Pool. Read it with `items`; close it, whatever happened."""

    def __init__(
        self, camera: int, request: Request, send: Callable[[Order], None], closed: Callable[["Feed"], None]
    ) -> None:
        self.camera = camera
        self.request = request
        self.number = -1  # of the last frame that was yielded, among all that were decoded
        self._send = send
        self._closed = closed
        self._news: asyncio.Queue[Picture | Left | Ended | SourceError] = asyncio.Queue()

    async def items(self) -> AsyncGenerator[Captured | Skipped]:
        """The frames, and how many were left out. The next picture leaves the process once one was taken.

        Raises SourceError.
        """
        while not isinstance(news := await self._news.get(), Ended):
            if isinstance(news, SourceError):
                raise news
            for reason, count in news.skipped.items():
                told = isinstance(news, Left) and news.reason == reason
                yield Skipped(reason, news.detail if told and isinstance(news, Left) else "", count)
            if isinstance(news, Picture):
                self.number = news.number
                yield Captured(news.timestamp, Encoded(news.jpeg, "image/jpeg"))
                self._send(Take(self.camera))
        if news.reason is not None:
            raise SourceError(news.reason, news.text)

    def heard(self, news: Picture | Left | Ended) -> None:
        """From its process."""
        self._news.put_nowait(news)

    def failed(self, error: SourceError) -> None:
        """Its process is gone."""
        self._news.put_nowait(error)

    def keyframes_only(self, on: bool) -> None:
        """Nothing moves: decode keyframes only, if they come at least every two seconds; or all again."""
        self._send(KeyframesOnly(self.camera, on))

    def close(self) -> None:
        """No more of it. May be called twice."""
        self._send(Close(self.camera))
        self._closed(self)
