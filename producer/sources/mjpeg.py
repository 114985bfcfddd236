"""The pictures of an HTTP camera that sends them one after the other in one answer that never ends (MJPEG)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import aiohttp

from producer.frames import Captured, Encoded, Skipped, SourceError
from producer.pacing import Rate
from producer.sources.folder import complete
from producer.sources.http.client import MAX_BYTES, Address
from producer.sources.multipart import NotMultipart, Part, Parts, PartTooLarge

PICTURE_SECONDS = 10.0  # without a whole picture for so long, the stream is given up, bytes or not
NO_PICTURES_IN_A_ROW = 20


def is_stream(response: aiohttp.ClientResponse) -> bool:
    """Whether an answer is a stream of parts: multipart/x-mixed-replace, or whatever multipart a camera says."""
    return response.headers.get("Content-Type", "")[:10].lower() == "multipart/"


async def pictures(
    address: Address, response: aiohttp.ClientResponse, *, fps: float
) -> AsyncGenerator[Captured | Skipped]:
    """The pictures of an answer that `is_stream`, thinned to `fps` a second (0: all); the newest one wins.

    Reading goes on while a picture is dealt with, and a picture that waits is replaced by the next: nothing piles
    up here, nor older and older in the sockets. Raises SourceError when the stream ends, breaks or has no pictures.
    """
    newest = _Newest(address, response)
    reading = asyncio.create_task(newest.read())
    rate = Rate(fps)
    wrong = 0
    try:
        while True:
            try:
                async with asyncio.timeout(PICTURE_SECONDS):
                    part = await newest.take()
            except TimeoutError:
                raise SourceError(
                    "timeout", f"{address.shown} sent no whole picture for {PICTURE_SECONDS:.0f} s"
                ) from None
            for _ in range(newest.forget_replaced()):
                yield Skipped("replaced")
            content_type = complete(part.content)
            if content_type is None:
                wrong += 1
                if wrong >= NO_PICTURES_IN_A_ROW:
                    raise SourceError("not_an_image", f"{address.shown} streams parts that are no pictures")
                yield Skipped(
                    "corrupt", f"{address.shown} streams parts that are no whole JPEG; they are left out"
                )
                continue
            wrong = 0
            if rate.wants(time.monotonic()):
                yield Captured(part.arrived, Encoded(part.content, content_type))
            else:
                yield Skipped("rate")
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


class _Newest:
    """Reads the stream into a slot for one part."""

    def __init__(self, address: Address, response: aiohttp.ClientResponse) -> None:
        self._address = address
        self._response = response
        self._slot: asyncio.Queue[Part | Exception] = asyncio.Queue(maxsize=1)
        self._replaced = 0

    async def take(self) -> Part:
        """The newest part, once there is one. Raises what ended the reading."""
        part = await self._slot.get()
        if isinstance(part, Exception):
            raise part
        return part

    def forget_replaced(self) -> int:
        """How many parts nobody took, since this was asked last."""
        replaced, self._replaced = self._replaced, 0
        return replaced

    async def read(self) -> None:
        """Until the stream ends, which is always an error: a camera's stream has no end."""
        shown = self._address.shown
        try:
            await self._read_parts()
        except PartTooLarge:
            self._put(SourceError("too_large", f"{shown} sends a picture of more than {MAX_BYTES >> 20} MiB"))
        except NotMultipart:
            self._put(SourceError("not_an_image", f"{shown} streams something that is not MJPEG"))
        except Exception as error:  # whatever it is, the taker must hear of it
            self._put(error)
        else:
            self._put(SourceError("closed", f"{shown} ended its stream"))

    async def _read_parts(self) -> None:
        parts = Parts(self._response.headers.get("Content-Type", ""), MAX_BYTES)
        async for data in self._response.content.iter_any():
            for part in parts.feed(data, time.time()):
                if self._slot.full():
                    self._replaced += 1
                self._put(part)
            if parts.ended:
                return

    def _put(self, part: Part | Exception) -> None:
        if self._slot.full():
            self._slot.get_nowait()
        self._slot.put_nowait(part)
