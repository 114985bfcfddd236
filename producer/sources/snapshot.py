"""An HTTP camera that answers each request with one picture."""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator

import aiohttp

from producer.frames import Captured, Encoded, Skipped, SourceError
from producer.pacing import Ticker
from producer.redaction import redact
from producer.sources.folder import complete

FPS = 1.0
MAX_BYTES = 12 * 1024 * 1024
REFRESH_SECONDS = (
    10.0  # an unchanged picture is sent this often all the same: a still camera is not a dead one
)
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5, sock_read=5)
REDIRECTS = 5


def open_session() -> aiohttp.ClientSession:
    """One client for all snapshot cameras of the process: pooled keep-alive connections, cached DNS."""
    connector = aiohttp.TCPConnector(limit=500, limit_per_host=10, ttl_dns_cache=300)
    # Cameras' cookies are none of our business, and a jar that a thousand of them fill is slow.
    return aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())


class Snapshot:
    """The pictures of one address, `fps` a second (0: one). A picture that did not change is skipped."""

    retries = True

    def __init__(self, url: str, session: aiohttp.ClientSession, *, fps: float = 0.0) -> None:
        self._url = url
        self._shown = redact(url)
        self._session = session
        self._ticker = Ticker(1 / (fps or FPS), spread=random.random())  # noqa: S311 - no secret
        self._validators: dict[str, str] = {}  # headers of a conditional request for the last picture
        self._last = b""
        self._fresh_until = 0.0

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        while True:
            await asyncio.sleep(self._ticker.delay(time.monotonic()))
            yield await self._fetch()

    async def _fetch(self) -> Captured | Skipped:
        fresh = time.monotonic() < self._fresh_until
        headers = self._validators if fresh else {}
        captured = time.time()
        try:
            async with self._session.get(self._url, headers=headers, max_redirects=REDIRECTS) as response:
                if response.status == 304 and headers:
                    return Skipped("unmodified")
                self._check(response)
                body = await self._read(response)
                validators = _validators(response)
        except TimeoutError:
            raise SourceError("timeout", f"{self._shown} does not answer in time") from None
        except aiohttp.TooManyRedirects:
            raise SourceError("redirects", f"{self._shown} redirects more than {REDIRECTS} times") from None
        except aiohttp.InvalidURL:
            raise SourceError("invalid_url", f"{self._shown} is no address that can be used") from None
        except aiohttp.ClientConnectorDNSError:
            raise SourceError("dns", f"the host of {self._shown} is not known: check its name") from None
        except aiohttp.ClientSSLError:
            raise SourceError("tls", f"{self._shown} has a certificate that is not trusted here") from None
        except aiohttp.ClientConnectorError as error:
            cause = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
            raise SourceError("refused", f"{self._shown} cannot be reached: {cause}") from None
        except aiohttp.ClientError as error:
            raise SourceError(
                "closed", f"{self._shown} broke off its answer ({type(error).__name__})"
            ) from None
        if fresh and body == self._last:
            return Skipped("identical")
        content_type = complete(body)
        if content_type is None:
            raise SourceError("not_an_image", self._no_image(body, response.content_type))
        self._validators, self._last = validators, body
        self._fresh_until = time.monotonic() + REFRESH_SECONDS
        return Captured(captured, Encoded(body, content_type))

    def _check(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status in (401, 403):
            raise SourceError("unauthorised", f"{self._shown} refuses the user name or password ({status})")
        if status == 404:
            raise SourceError("not_found", f"{self._shown} is not there (404): check the path")
        if status != 200:
            raise SourceError(f"http_{status // 100}xx", f"{self._shown} answers {status}")
        if (response.content_length or 0) > MAX_BYTES:
            raise SourceError("too_large", f"{self._shown} sends more than {MAX_BYTES >> 20} MiB")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_BYTES:
                raise SourceError("too_large", f"{self._shown} sends more than {MAX_BYTES >> 20} MiB")
        return bytes(body)

    def _no_image(self, body: bytes, content_type: str) -> str:
        if not body:
            return f"{self._shown} answers with nothing"
        if body.startswith((b"\xff\xd8\xff", b"\x89PNG")):
            return f"{self._shown} sends pictures that are cut off"
        return f"{self._shown} answers with {content_type[:60]}, not with a JPEG or PNG"


def _validators(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {}
    if "ETag" in response.headers:
        headers["If-None-Match"] = response.headers["ETag"]
    if "Last-Modified" in response.headers:
        headers["If-Modified-Since"] = response.headers["Last-Modified"]
    return headers
