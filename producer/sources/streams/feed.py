"""One decoded camera as the producer sees it: its frames as they come out of the process that decodes it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from producer.errors import SourceError
from producer.frames import Captured, Encoded, Skipped
from producer.sources.streams.messages import (
    Close,
    DecodedPicture,
    DecodeRequest,
    KeyframesOnly,
    LeftOut,
    Order,
    StreamEnded,
    Take,
)


class FrameFeed:
    """The frames of one camera, opened by a Pool. Read it with `items`, and close it whatever happens."""

    def __init__(
        self,
        camera: int,
        request: DecodeRequest,
        send: Callable[[Order], None],
        closed: Callable[["FrameFeed"], None],
    ) -> None:
        self.camera = camera
        self.request = request
        self.number = -1  # the number of the last frame that was yielded, among all that were decoded
        self._send = send
        self._closed = closed
        self._news: asyncio.Queue[DecodedPicture | LeftOut | StreamEnded | SourceError] = asyncio.Queue()

    async def items(self) -> AsyncGenerator[Captured | Skipped]:
        """The frames, and the number of those left out. The next picture leaves the process once this one is taken.

        Raises SourceError where the source or its process fails.
        """
        while not isinstance(news := await self._news.get(), StreamEnded):
            if isinstance(news, SourceError):
                raise news
            for reason, count in news.skipped.items():
                told = isinstance(news, LeftOut) and news.reason == reason
                yield Skipped(reason, news.detail if told and isinstance(news, LeftOut) else "", count)
            if isinstance(news, DecodedPicture):
                self.number = news.number
                yield Captured(news.timestamp, Encoded(news.jpeg, "image/jpeg"))
                self._send(Take(self.camera))
        if news.reason is not None:
            raise SourceError(news.reason, news.text)

    def heard(self, news: DecodedPicture | LeftOut | StreamEnded) -> None:
        """Take in what the process says of this camera."""
        self._news.put_nowait(news)

    def failed(self, error: SourceError) -> None:
        """Take in that the process is gone."""
        self._news.put_nowait(error)

    def keyframes_only(self, on: bool) -> None:
        """Ask for keyframes only, while nothing moves, or for all frames again.

        Keyframes alone are decoded only if they come at least every two seconds.
        """
        self._send(KeyframesOnly(self.camera, on))

    def close(self) -> None:
        """Ask for no more of this camera. May be called twice."""
        self._send(Close(self.camera))
        self._closed(self)
