"""An HTTP camera that answers each request with one picture, or, as it turns out, with a stream of them."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from producer.catalogue.redaction import redact
from producer.errors import SourceError
from producer.frames import Captured, Due, Encoded, Skipped, Source
from producer.sources.http import mjpeg
from producer.sources.http.address import SECONDS, CameraAddress
from producer.sources.http.answers import Answer, Response
from producer.sources.http.client import HttpClient
from producer.sources.http.first_picture import VideoAnswer, first_picture
from producer.sources.pacing import Ticker
from producer.sources.trust import Trust

FPS = 1.0
REFRESH_SECONDS = (
    10.0  # so often at least the camera is asked whatever the picture is: a still one is not a dead one
)
LONGEST_REST = 60.0  # seconds that a camera which says Retry-After is left alone at most

NO_FILM = frozenset({"timeout", "not_a_video", "no_video", "no_frames", "corrupt", "closed", "io_error"})
"""What FFmpeg calls a video that it can make nothing of."""

VideoSource = Callable[[bool], Source]
"""Makes the source of a video at the same address; told whether it is a playlist."""


class Snapshot:
    """The pictures of one address, `fps` a second (0: one), each within `seconds`. `shown` is how messages call it, if
    it has secrets that `redact` does not see.

    A camera that tells its pictures apart (ETag, Last-Modified) need not send again what did not change
    (RFC 9110 §13.1). An address that answers with MJPEG is read as the stream that it is; `fps` 0: all of it. One that
    answers with a video is left to `video`. Nothing is asked more often than `fps` says, streams that end included.
    """

    retries = True

    def __init__(
        self,
        url: str,
        client: HttpClient,
        *,
        shown: str | None = None,
        fps: float = 0.0,
        seconds: float = SECONDS,
        trust: Trust | None = None,
        video: VideoSource | None = None,
    ) -> None:
        self._address = CameraAddress(
            url,
            client,
            shown=redact(url) if shown is None else shown,
            seconds=seconds,
            trust=trust or Trust(),
        )
        self._fps = fps
        self._video = video
        self._ticker = Ticker(1 / (fps or FPS), spread=random.random())  # noqa: S311 - no secret
        self._validators: dict[str, str] | None = None  # headers that ask for another picture than the last
        self._fresh_until = 0.0
        self._rests_until = 0.0
        self._streams = False
        self._lingers = (
            False  # its answers do not end with the picture: nothing is gained by waiting for that
        )
        self._films: tuple[str, Source] | None = None  # what kind of video it sends, and who reads that

    async def frames(self) -> AsyncGenerator[Captured | Skipped | Due]:
        await asyncio.sleep(self._rests_until - time.monotonic())
        try:
            while True:
                await asyncio.sleep(self._ticker.delay(time.monotonic()))
                if not self._streams:
                    yield Due()
                    if (fetched := await self._fetch()) is not None:
                        yield fetched
                    del fetched  # a thousand cameras that wait for their next picture need not hold the last
                    if self._films is not None:
                        async for item in self._film(*self._films):
                            yield item
                        continue
                    if not self._streams:
                        continue
                async with aclosing(self._stream()) as items:
                    async for item in items:
                        yield item
        except SourceError as error:
            # Its traceback would keep the megabytes of a wrong answer alive for as long as the camera is offline.
            error.__context__ = None
            raise error.with_traceback(None) from None

    async def _fetch(self) -> Captured | Skipped | None:
        """One picture; None if the answer turns out to be a stream or a video."""
        validators = self._validators if time.monotonic() < self._fresh_until else None
        try:
            return await self._address.fetch(validators, self._picture if validators is None else self._news)
        except VideoAnswer as found:
            if self._video is None:
                raise SourceError(
                    "video", f"{self._address.shown} sends {found.name}, which cannot be read from here"
                ) from None
            self._films = found.name, self._video(found.playlist)
            return None

    async def _news(self, answer: Answer) -> Captured | Skipped | None:
        return Skipped("unmodified") if answer.response.status == 304 else await self._picture(answer)

    async def _picture(self, answer: Answer) -> Captured | None:
        self._check(answer)
        self._streams = mjpeg.is_stream(answer.response)
        if self._streams:
            return None  # it is asked again: this request's time is limited, and others wait for its place
        first = await first_picture(answer, self._address.shown, wait=not self._lingers)
        self._streams, self._lingers = first.streams, first.lingers
        self._validators = _validators(answer.response)
        if self._validators:
            self._fresh_until = time.monotonic() + REFRESH_SECONDS
        return Captured(first.arrived, Encoded(first.content, first.content_type))

    async def _stream(self) -> AsyncGenerator[Captured | Skipped]:
        """Until the stream ends, which is no fault if there was a picture in it."""
        self._streams = False  # unless it proves to be one again: cameras change
        pictures = 0
        async with self._address.stream() as answer:
            self._check(answer)
            async with aclosing(mjpeg.pictures(self._address, answer.response, fps=self._fps)) as items:
                async for item in items:
                    pictures += 1
                    self._streams = pictures > 1 or mjpeg.is_stream(answer.response)
                    yield item

    async def _film(self, name: str, source: Source) -> AsyncGenerator[Captured | Skipped]:
        """The frames of a video; what it is is asked again when that ends."""
        seen = False
        try:
            async with aclosing(source.frames()) as items:
                async for item in items:
                    if not isinstance(item, Due):
                        seen = True
                        yield item
        except SourceError as error:
            if seen or error.reason not in NO_FILM:
                raise
            # It answers, as was seen a moment ago: neither the network nor the address is to blame.
            text = f"{self._address.shown} sends {name}, but no picture can be made of it"
            raise SourceError("no_frames", text) from None
        finally:
            self._films = None

    def _check(self, answer: Answer) -> None:
        shown, status = self._address.shown, answer.response.status
        if status in (401, 403):
            raise SourceError("unauthorised", f"{shown} {self._address.refusal(answer)} ({status})")
        if status == 404:
            raise SourceError("not_found", f"{shown} is not there (404): check the path")
        if status in (429, 503):
            self._rests_until = time.monotonic() + _rest(answer.response)
        if status != 200:
            raise SourceError(f"http_{status // 100}xx", f"{shown} answers {status}")


def _validators(response: Response) -> dict[str, str]:
    headers = {}
    if "ETag" in response.headers:
        headers["If-None-Match"] = response.headers["ETag"]
    if "Last-Modified" in response.headers:
        headers["If-Modified-Since"] = response.headers["Last-Modified"]
    return headers


def _rest(response: Response) -> float:
    """Seconds for which the camera wants to be left alone; 0 if it does not say, or says a date."""
    said = response.headers.get("Retry-After", "")
    return min(float(said), LONGEST_REST) if said.isascii() and said.isdigit() else 0.0
