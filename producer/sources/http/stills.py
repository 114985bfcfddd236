"""One picture of an HTTP camera after the other, each asked for by a request of its own."""

import asyncio
import time
from collections.abc import Mapping

import aiohttp

from producer.errors import CutShort, NotHttp, SourceError, Untrusted
from producer.frames import Captured, Encoded, Skipped
from producer.sources.http.address import MISUNDERSTOOD, CameraAddress
from producer.sources.http.answers import CameraAnswer, Response, is_stream
from producer.sources.http.client import leave
from producer.sources.http.errors import in_plain_words
from producer.sources.http.first_picture import first_picture

REFRESH_SECONDS = 10.0
"""The camera is asked at least this often whatever the picture is: a still one is not a dead one."""

Still = Captured | Skipped | None
"""A picture, the word that it is still the last one, or None where the answer turns out to be a stream."""


class Stills:
    """Fetches pictures from one address. `streams` is true once an answer has turned out to be a stream.

    A camera that tells its pictures apart (ETag, Last-Modified) need not send again what did not change
    (RFC 9110 §13.1). An answer that the strict client does not understand is asked for again through the tolerant
    reader; if that understands it, the address is remembered as one that needs it.
    """

    def __init__(self, address: CameraAddress) -> None:
        self.streams = False
        self._address = address
        self._doubtful = False  # the last request failed
        self._validators: dict[str, str] | None = None  # headers that ask for another picture than the last
        self._fresh_until = 0.0
        # Whether its answers go on behind the picture: then nothing is gained by waiting for their end.
        self._lingers = False

    async def fetch(self) -> Still:
        """Ask for one picture and read it. One call at a time.

        Waits for a place first, which takes nothing of the picture's time. Raises VideoAnswer where a video comes, and
        SourceError for whatever goes wrong.
        """
        # This is the producer's hot path: context managers and generators of our own would cost a tenth of it.
        address = self._address
        validators = self._validators if time.monotonic() < self._fresh_until else None
        place = await address.place.take(doubtful=self._doubtful)
        self._doubtful = True
        try:
            if address.needs_tolerance:
                still = await self._fetch_tolerantly(validators)
            else:
                try:
                    async with asyncio.timeout(address.seconds):  # with all redirects and logins
                        answer = await address.ask(validators, address.picture_limits)
                        try:
                            still = await self._read(answer, validators)
                        finally:
                            leave(answer.response)
                except (*MISUNDERSTOOD, CutShort) as error:
                    still = await self._fetch_in_spite_of(error, validators)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise await address.explained(error) from None
        finally:
            place.release()
        self._doubtful = False
        return still

    async def _fetch_tolerantly(self, validators: Mapping[str, str] | None) -> Still:
        address = self._address
        address.needs_tolerance = False  # unless it helps this time too: what a camera needs may change
        try:
            async with asyncio.timeout(address.seconds):
                answer = await address.ask(validators, None)
                try:
                    still = await self._read(answer, validators)
                finally:
                    answer.response.close()
        except (EOFError, NotHttp, Untrusted) as error:
            raise in_plain_words(error, address.shown) from None
        address.needs_tolerance = True
        return still

    async def _fetch_in_spite_of(self, error: Exception, validators: Mapping[str, str] | None) -> Still:
        """What the tolerant reader makes of an answer that the strict client failed at."""
        try:
            return await self._fetch_tolerantly(validators)
        except SourceError as found:
            # Neither makes a picture of it: the more precise of the two errors is raised.
            if isinstance(found, CutShort) or (
                isinstance(error, CutShort) and found.reason in ("closed", "not_http")
            ):
                raise error from None
            raise
        except (TimeoutError, OSError):
            raise error from None

    async def _read(self, answer: CameraAnswer, validators: Mapping[str, str] | None) -> Still:
        if validators is not None and answer.response.status == 304:
            return Skipped("unmodified")
        self._address.check(answer)
        self.streams = is_stream(answer.response)
        if self.streams:
            return None  # the stream is asked for anew: this request's time is limited, and others wait for its place
        first = await first_picture(answer, self._address.shown, wait=not self._lingers)
        self.streams, self._lingers = first.streams, first.lingers
        self._validators = _validators(answer.response)
        if self._validators:
            self._fresh_until = time.monotonic() + REFRESH_SECONDS
        return Captured(first.arrived, Encoded(first.content, first.content_type))


def _validators(response: Response) -> dict[str, str]:
    headers = {}
    if "ETag" in response.headers:
        headers["If-None-Match"] = response.headers["ETag"]
    if "Last-Modified" in response.headers:
        headers["If-Modified-Since"] = response.headers["Last-Modified"]
    return headers
