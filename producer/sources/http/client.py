"""The one HTTP client of the process, and a camera's address as it is asked through it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, Self, TypeVar

import aiohttp
from yarl import URL

from producer.frames import SourceError
from producer.redaction import redact
from producer.sources.http.errors import in_plain_words
from producer.sources.http.login import Login, elsewhere
from producer.sources.http.places import Places
from runtime.files import allow_many_files
from runtime.files import connections as most_connections

Result = TypeVar("Result")

MAX_BYTES = 12 * 1024 * 1024  # of one picture: what a task may weigh
REDIRECTS = 5
NO_FILES = (
    "this producer may open no further connection: raise its limit of open files (ulimit -n, LimitNOFILE=), or start "
    "another producer that shares the cameras"
)
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
"""Of one picture, in seconds: a camera that sends a byte now and then is cut off all the same."""
STREAM_TIMEOUT = aiohttp.ClientTimeout(sock_connect=5, sock_read=10)
"""Of a stream, which has no end: how long it may be silent."""


class HttpClient:
    """Pooled keep-alive connections and cached names for all HTTP cameras. Open it inside the event loop.

    `connections` requests for pictures in all, `per_host` at each host and port; names are kept for
    `dns_cache_seconds`. Streams hold a connection for ever and count towards neither; of them there are as many as the
    limit of open files allows.
    """

    def __init__(self, *, connections: int = 500, per_host: int = 10, dns_cache_seconds: int = 300) -> None:
        files = allow_many_files()
        # Half of what there is for pictures, half for streams, which keep what they have.
        may_have = most_connections(files) // 2
        self.places = Places(min(connections, may_have), per_host)
        self._streams = asyncio.Semaphore(may_have)
        few = may_have < connections
        # The connector's own limits count the waiting for a free connection towards the request's timeout: the
        # cameras of a busy host would be reported as silent. Hence `places`, and no limit here.
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ttl_dns_cache=dns_cache_seconds,
                force_close=few,  # where files are few, none is kept for a camera's next picture
            ),
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},  # JPEG does not shrink
            # Cameras' cookies are none of our business, and a jar that a thousand of them fill is slow.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        """A connection that a stream keeps. Raises SourceError where the limit of open files allows no further one."""
        if self._streams.locked():
            raise SourceError("no_files", NO_FILES)
        async with self._streams:
            yield

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()


class Answer(NamedTuple):
    """What a camera answers, its body not read yet; `asked` is when it was asked (Unix seconds)."""

    response: aiohttp.ClientResponse
    asked: float


class Address:
    """The URL of one camera, with its login. `shown` is how messages call it, without credentials."""

    def __init__(self, url: str, client: HttpClient) -> None:
        self.shown = redact(url)
        parsed = _parsed(url)
        self._url = parsed and parsed.with_user(None)
        self._login = Login(parsed.user, parsed.password) if parsed else Login(None, None)
        self._place = client.places.at(str(parsed.origin()) if parsed else self.shown)
        self._client = client
        self._session = client.session
        self._doubtful = False

    async def fetch(
        self, headers: Mapping[str, str] | None, read: Callable[[Answer], Awaitable[Result]]
    ) -> Result:
        """Ask for one picture, and what `read` makes of the answer. One call at a time.

        Waits for a place first, which takes nothing of the picture's time. Raises SourceError for whatever goes wrong.
        """
        # The producer's hot path: context managers and generators of our own would cost a tenth of it.
        place = await self._place.take(doubtful=self._doubtful)
        self._doubtful = True
        try:
            answer = await self._ask(headers, TIMEOUT)
            async with answer.response:
                result = await read(answer)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise in_plain_words(error, self.shown) from None
        finally:
            place.release()
        self._doubtful = False
        return result

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[Answer]:
        """The answer to a request that may go on for ever. Raises SourceError, while it is read too."""
        try:
            async with self._client.streaming():
                answer = await self._ask(None, STREAM_TIMEOUT)
                async with answer.response:
                    yield answer
        except (TimeoutError, aiohttp.ClientError) as error:
            raise in_plain_words(error, self.shown) from None

    def refusal(self, response: aiohttp.ClientResponse) -> str:
        """What is wrong with our login, as a 401 or 403 shows."""
        if elsewhere(response):
            return "leads on to another host, which wants a login of its own: give that address"
        if not self._login.known:
            return "asks for a login: write the address with user:password@ before the host"
        return "refuses the user name or password"

    async def _ask(self, headers: Mapping[str, str] | None, timeout: aiohttp.ClientTimeout) -> Answer:
        """Logged in and redirected, where that is asked for."""
        answer = await self._send(headers, timeout)
        if answer.response.status == 401 and self._login.learns(answer.response):
            answer.response.release()
            answer = await self._send(headers, timeout)
        return answer

    async def _send(self, headers: Mapping[str, str] | None, timeout: aiohttp.ClientTimeout) -> Answer:
        if self._url is None:
            raise SourceError("invalid_url", f"{self.shown} is no address that can be used")
        asked = time.time()
        response = await self._session.get(
            self._url,
            headers=self._login.headers(headers),
            middlewares=self._login.middlewares,
            max_redirects=REDIRECTS + 1,  # aiohttp gives up at this one
            timeout=timeout,
        )
        return Answer(response, asked)


def _parsed(url: str) -> URL | None:
    try:
        parsed = URL(url)
        parsed.origin()
    except ValueError:
        return None
    return parsed
