"""An HTTP camera that answers each request with one picture, or, as it turns out, with a stream of them."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp

from producer.frames import Captured, Due, Encoded, Skipped, SourceError
from producer.pacing import Ticker
from producer.sources import mjpeg
from producer.sources.folder import JPEG, PNG, complete
from producer.sources.http.client import MAX_BYTES, Address, Answer, HttpClient

FPS = 1.0
REFRESH_SECONDS = (
    10.0  # so often at least the camera is asked whatever the picture is: a still one is not a dead one
)
LONGEST_REST = 60.0  # seconds that a camera which says Retry-After is left alone at most


class Snapshot:
    """The pictures of one address, `fps` a second (0: one).

    A camera that tells its pictures apart (ETag, Last-Modified) need not send again what did not change
    (RFC 9110 §13.1). An address that answers with MJPEG is read as the stream that it is; `fps` 0: all of it.
    """

    retries = True

    def __init__(self, url: str, client: HttpClient, *, fps: float = 0.0) -> None:
        self._address = Address(url, client)
        self._fps = fps
        self._ticker = Ticker(1 / (fps or FPS), spread=random.random())  # noqa: S311 - no secret
        self._validators: dict[str, str] | None = None  # headers that ask for another picture than the last
        self._fresh_until = 0.0
        self._rests_until = 0.0
        self._streams = False

    async def frames(self) -> AsyncGenerator[Captured | Skipped | Due]:
        await asyncio.sleep(self._rests_until - time.monotonic())
        try:
            while True:
                if self._streams:
                    async with aclosing(self._stream()) as items:
                        async for item in items:
                            yield item
                else:
                    await asyncio.sleep(self._ticker.delay(time.monotonic()))
                    yield Due()
                    if (fetched := await self._fetch()) is not None:
                        yield fetched
                    del fetched  # a thousand cameras that wait for their next picture need not hold the last
        except SourceError as error:
            # Its traceback would keep the megabytes of a wrong answer alive for as long as the camera is offline.
            error.__context__ = None
            raise error.with_traceback(None) from None

    async def _fetch(self) -> Captured | Skipped | None:
        """One picture; None if the answer turns out to be a stream."""
        validators = self._validators if time.monotonic() < self._fresh_until else None
        return await self._address.fetch(validators, self._picture if validators is None else self._news)

    async def _news(self, answer: Answer) -> Captured | Skipped | None:
        return Skipped("unmodified") if answer.response.status == 304 else await self._picture(answer)

    async def _picture(self, answer: Answer) -> Captured | None:
        response = answer.response
        self._check(response)
        self._streams = mjpeg.is_stream(response)
        if self._streams:
            return None  # it is asked again: this request's time is limited, and others wait for its place
        body = await self._read(response)
        content_type = complete(body)
        if content_type is None:
            raise SourceError("not_an_image", self._no_image(body, response))
        self._validators = _validators(response)
        if self._validators:
            self._fresh_until = time.monotonic() + REFRESH_SECONDS
        return Captured(time.time(), Encoded(body, content_type))

    async def _stream(self) -> AsyncGenerator[Captured | Skipped]:
        async with self._address.stream() as answer:
            self._check(answer.response)
            self._streams = mjpeg.is_stream(answer.response)
            if self._streams:
                async with aclosing(mjpeg.pictures(self._address, answer.response, fps=self._fps)) as items:
                    async for item in items:
                        yield item

    def _check(self, response: aiohttp.ClientResponse) -> None:
        shown, status = self._address.shown, response.status
        if status in (401, 403):
            raise SourceError("unauthorised", f"{shown} {self._address.refusal(response)} ({status})")
        if status == 404:
            raise SourceError("not_found", f"{shown} is not there (404): check the path")
        if status in (429, 503):
            self._rests_until = time.monotonic() + _rest(response)
        if status != 200:
            raise SourceError(f"http_{status // 100}xx", f"{shown} answers {status}")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length > MAX_BYTES:
            raise self._too_large()
        if length is not None and "Content-Encoding" not in response.headers:
            return await response.read()  # aiohttp reads no further
        chunks: list[bytes] = []
        room = MAX_BYTES
        async for chunk in response.content.iter_any():  # unpacked, if it is packed all the same
            chunks.append(chunk)
            room -= len(chunk)
            if room < 0:
                raise self._too_large()
        return b"".join(chunks)

    def _too_large(self) -> SourceError:
        return SourceError("too_large", f"{self._address.shown} sends more than {MAX_BYTES >> 20} MiB")

    def _no_image(self, body: bytes, response: aiohttp.ClientResponse) -> str:
        if not body:
            return f"{self._address.shown} answers with nothing"
        if body.startswith((JPEG, PNG)):
            return f"{self._address.shown} sends pictures that are cut off"
        return f"{self._address.shown} answers with {response.content_type[:60]}, not with a JPEG or PNG"


def _validators(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {}
    if "ETag" in response.headers:
        headers["If-None-Match"] = response.headers["ETag"]
    if "Last-Modified" in response.headers:
        headers["If-Modified-Since"] = response.headers["Last-Modified"]
    return headers


def _rest(response: aiohttp.ClientResponse) -> float:
    """Seconds for which the camera wants to be left alone; 0 if it does not say, or says a date."""
    said = response.headers.get("Retry-After", "")
    return min(float(said), LONGEST_REST) if said.isascii() and said.isdigit() else 0.0
