"""Reads an HTTP camera that sends its pictures one after the other, in one answer that never ends (MJPEG)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import aiohttp

from producer.errors import NoPictures, SourceError, TooLarge
from producer.frames import Captured, Encoded, Skipped
from producer.sources.http.address import CameraAddress
from producer.sources.http.answers import MAX_BYTES, Response
from producer.sources.http.picture_stream import BrokenPicture, PictureStream, WholePicture
from producer.sources.pacing import Rate

QUIET_SECONDS = 60.0
"""A stream that sends parts without a picture, as signs of life, may go on like that for so long after a picture."""
BROKEN_IN_A_ROW = 20


async def mjpeg_pictures(
    address: CameraAddress, response: Response, *, fps: float
) -> AsyncGenerator[Captured | Skipped]:
    """The pictures of a stream, thinned to `fps` a second (0: all); the newest one wins.

    Reading goes on while a picture is dealt with, and the next one replaces a picture that waits: nothing piles up
    here, nor grows old in the sockets. It ends where the stream ends, if there was a picture in it. Raises SourceError
    when there was none, or when none comes any more.
    """
    newest = _Newest(address, response)
    reading = asyncio.create_task(newest.read())
    rate = Rate(fps)
    broken = 0
    try:
        while (picture := await newest.take()) is not None:
            for _ in range(newest.forget_replaced()):
                yield Skipped("replaced")
            if isinstance(picture, BrokenPicture):
                broken += 1
                if broken >= BROKEN_IN_A_ROW:
                    raise SourceError(
                        "not_an_image", f"{address.shown} streams no whole picture: {picture.why}"
                    )
                yield Skipped(
                    "corrupt", f"{address.shown} streams broken pictures ({picture.why}); they are left out"
                )
                continue
            broken = 0
            if rate.wants(time.monotonic()):
                yield Captured(picture.arrived, Encoded(picture.content, picture.content_type))
            else:
                yield Skipped("rate")
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


class _Newest:
    """Reads the stream and keeps its newest picture for whoever takes it."""

    def __init__(self, address: CameraAddress, response: Response) -> None:
        self._address = address
        self._response = response
        self._stream = PictureStream(MAX_BYTES)
        self._news = asyncio.Event()
        self._newest: WholePicture | BrokenPicture | None = None
        self._over: Exception | bool = False  # True: the stream came to its end
        self._replaced = 0
        self._seen = False  # a whole picture

    async def take(self) -> WholePicture | BrokenPicture | None:
        """The newest picture, once there is one; None once the stream has ended. Raises what ended the reading."""
        clock = asyncio.get_running_loop().time
        patience = clock() + QUIET_SECONDS
        while self._newest is None and self._over is False:
            self._news.clear()
            between = self._stream.between
            try:
                async with asyncio.timeout(self._address.seconds):
                    await self._news.wait()
            except TimeoutError:
                if not self._seen or self._stream.between == between or clock() > patience:
                    raise self._silence() from None
        if self._newest is not None:
            newest, self._newest = self._newest, None
            return newest
        if isinstance(self._over, Exception):
            raise self._over
        return None

    def forget_replaced(self) -> int:
        """The number of pictures that nobody took since this was called last."""
        replaced, self._replaced = self._replaced, 0
        return replaced

    async def read(self) -> None:
        """Read until the stream ends."""
        try:
            await self._read_pictures()
        except Exception as error:  # whoever takes pictures must hear of it, whatever it is
            self._over = self._ending(error)
        else:
            self._over = self._ending(None)
        self._news.set()

    async def _read_pictures(self) -> None:
        async for data in self._response.content.iter_any():
            for picture in self._stream.feed(data, time.time()):
                self._seen = self._seen or isinstance(picture, WholePicture)
                self._replaced += self._newest is not None
                self._newest = picture
                self._news.set()
            if self._stream.ended:
                return

    def _ending(self, error: Exception | None) -> Exception | bool:
        shown = self._address.shown
        match error:
            case TooLarge():
                return SourceError("too_large", f"{shown} sends a picture of more than {MAX_BYTES >> 20} MiB")
            case NoPictures() | None if not self._seen and self._stream.other:
                return self._others()
            case NoPictures():
                return SourceError("not_an_image", f"{shown} streams something that is not MJPEG")
            case None if not self._seen:
                return SourceError("closed", f"{shown} ended its stream without a picture")
            case aiohttp.ClientError() | OSError() if not isinstance(error, TimeoutError) and self._seen:
                return True  # cameras end a stream in every manner
            case _:
                return error or True

    def _others(self) -> SourceError:
        return SourceError(
            "not_an_image", f"{self._address.shown} streams {self._stream.other}, not JPEG or PNG pictures"
        )

    def _silence(self) -> SourceError:
        shown, seconds = self._address.shown, self._address.seconds
        if self._stream.other:
            return self._others()
        if self._stream.parts > 1:
            return SourceError(
                "not_an_image",
                f"{shown} streams parts that are empty or text: no pictures for {seconds:g} s",
            )
        return SourceError("timeout", f"{shown} sent no whole picture for {seconds:g} s")
