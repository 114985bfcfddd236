"""The one HTTP client of the process: the connections that all cameras share, and how many there may be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import aiohttp

from producer.errors import SourceError
from producer.sources.http.answers import Response
from producer.sources.http.places import RequestPlaces
from runtime.files import allow_many_files
from runtime.files import connections as most_connections

NO_FILES = (
    "this producer may open no further connection: raise its limit of open files (ulimit -n, LimitNOFILE=), or start "
    "another producer that shares the cameras"
)


class HttpClient:
    """Pooled keep-alive connections and cached names for all HTTP cameras. Open it inside the event loop.

    It allows `connections` requests for pictures in all and `per_host` at each host and port; names are kept for
    `dns_cache_seconds`. Streams hold a connection for ever and count towards neither: there may be as many of them as
    the limit of open files allows.
    """

    def __init__(self, *, connections: int = 500, per_host: int = 10, dns_cache_seconds: int = 300) -> None:
        files = allow_many_files()
        # Half of the connections are for pictures, half for streams, which keep what they have.
        may_have = most_connections(files) // 2
        self.places = RequestPlaces(min(connections, may_have), per_host)
        self._streams = asyncio.Semaphore(may_have)
        few = may_have < connections
        # The connector counts the wait for a free connection towards the request's timeout: the cameras of a busy
        # host would be reported as silent. Hence `places`, and no limit here.
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ttl_dns_cache=dns_cache_seconds,
                force_close=few,  # where files are few, none is kept for a camera's next picture
            ),
            headers={"Accept-Encoding": "identity"},  # JPEG does not shrink
            # We have no use for cameras' cookies, and a jar that a thousand of them fill is slow.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        """Hold a connection for a stream. Raises SourceError where the limit of open files allows no further one."""
        if self._streams.locked():
            raise SourceError("no_files", NO_FILES)
        async with self._streams:
            yield

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()


def leave(response: Response) -> None:
    """Give a connection back to the pool if its answer was read to the end, else close it."""
    if isinstance(response, aiohttp.ClientResponse):
        response.release()
    else:
        response.close()
