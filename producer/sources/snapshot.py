"""Reads an HTTP camera, which answers each request with one picture or, as it turns out, with a stream of them."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from producer.errors import SourceError, VideoAnswer
from producer.frames import Captured, Due, Skipped, Source
from producer.redaction import redact
from producer.sources.http.address import SECONDS, CameraAddress
from producer.sources.http.answers import is_stream
from producer.sources.http.client import HttpClient
from producer.sources.http.mjpeg import mjpeg_pictures
from producer.sources.http.stills import Still, Stills
from producer.sources.pacing import Ticker
from producer.trust import Trust

FPS = 1.0
NO_FILM = frozenset({"timeout", "not_a_video", "no_video", "no_frames", "corrupt", "closed", "io_error"})
"""Reasons for which FFmpeg can make nothing of a video."""

VideoSource = Callable[[bool], Source]
"""Makes the source of a video at the same address; the argument says whether it is a playlist."""


class Snapshot:
    """The pictures of one address, `fps` a second (0: one), each within `seconds`.

    `shown` is how messages call the address, if it has secrets that `redact` does not see. `hosts` are those that it
    may lead to besides its own.

    An address that answers with MJPEG is read as the stream that it is (`fps` 0: all of it); one that answers with a
    video is left to `video`. Nothing is asked for more often than `fps` says, not even streams that end.
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
        hosts: tuple[str, ...] = (),
        video: VideoSource | None = None,
    ) -> None:
        self._address = CameraAddress(
            url,
            client,
            shown=redact(url) if shown is None else shown,
            seconds=seconds,
            trust=trust or Trust(),
            hosts=hosts,
        )
        self._fps = fps
        self._video = video
        self._ticker = Ticker(1 / (fps or FPS), spread=random.random())  # noqa: S311 - no secret
        self._stills = Stills(self._address)
        # The kind of video that comes, and the source that reads it.
        self._films: tuple[str, Source] | None = None

    @property
    def certificate_end(self) -> float | None:
        """When the certificate of the camera's host ends, in Unix seconds; None if none was verified."""
        return self._address.certificate_end

    async def frames(self) -> AsyncGenerator[Captured | Skipped | Due]:
        await asyncio.sleep(self._address.rests_until - time.monotonic())
        try:
            while True:
                await asyncio.sleep(self._ticker.delay(time.monotonic()))
                if not self._stills.streams:
                    yield Due()
                    if (fetched := await self._fetch()) is not None:
                        yield fetched
                    del fetched  # a thousand cameras that wait for their next picture need not hold the last
                    if self._films is not None:
                        async for item in self._film(*self._films):
                            yield item
                        continue
                    if not self._stills.streams:
                        continue
                async with aclosing(self._stream()) as items:
                    async for item in items:
                        yield item
        except SourceError as error:
            # Its traceback would keep the megabytes of a wrong answer alive for as long as the camera is offline.
            error.__context__ = None
            raise error.with_traceback(None) from None

    async def _fetch(self) -> Still:
        """Fetch one picture; None if the answer turns out to be a stream or a video."""
        try:
            return await self._stills.fetch()
        except VideoAnswer as found:
            if self._video is None:
                raise SourceError(
                    "video", f"{self._address.shown} sends {found.name}, which cannot be read from here"
                ) from None
            self._films = found.name, self._video(found.playlist)
            return None

    async def _stream(self) -> AsyncGenerator[Captured | Skipped]:
        """The pictures of a stream until it ends, which is not a fault if there was a picture in it."""
        self._stills.streams = False  # until it proves to be a stream again: cameras change
        pictures = 0
        async with self._address.stream() as answer:
            self._address.check(answer)
            async with aclosing(mjpeg_pictures(self._address, answer.response, fps=self._fps)) as items:
                async for item in items:
                    pictures += 1
                    self._stills.streams = pictures > 1 or is_stream(answer.response)
                    yield item

    async def _film(self, name: str, source: Source) -> AsyncGenerator[Captured | Skipped]:
        """The frames of a video. When it ends, the next request shows what the address answers then."""
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
            # The camera answered a moment ago, so neither the network nor the address is to blame.
            text = f"{self._address.shown} sends {name}, but no picture can be made of it"
            raise SourceError("no_frames", text) from None
        finally:
            self._films = None
