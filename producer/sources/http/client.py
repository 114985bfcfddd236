"""The one HTTP client of the process: the connections that all cameras share, and how many there may be."""

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from producer.errors import SourceError
from producer.reach import AddressInfo, guarded_socket, names_local
from producer.sources.http.answers import Response
from producer.sources.http.places import RequestPlaces
from runtime.files import allow_many_files
from runtime.files import connections as most_connections

NO_FILES = (
    "this producer may open no further connection: raise its limit of open files (ulimit -n, LimitNOFILE=), or start "
    "another producer that shares the cameras"
)


Trusted = bool | aiohttp.Fingerprint
"""How aiohttp is told whose certificates are trusted: all authorities', none is looked at, or one alone."""
SocketFactory = Callable[[AddressInfo], socket.socket]


class CertifiedResponse(aiohttp.ClientResponse):
    """An answer that remembers when the certificate of its host ends: a short one is over before anybody could ask.

    `certificate_end` is in Unix seconds; None where no certificate was verified.
    """

    certificate_end: float | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Begin to read the answer."""
        line = connection.transport.get_extra_info("ssl_object") if connection.transport else None
        if line is not None and (ends := (line.getpeercert() or {}).get("notAfter")) is not None:
            self.certificate_end = ssl.cert_time_to_seconds(ends)
        return await super().start(connection)


class HttpClient:
    """Pooled keep-alive connections and cached names for all HTTP cameras. Open it inside the event loop.

    It allows `connections` requests for pictures in all and `per_host` at each host and port; names are kept for
    `dns_cache_seconds`. Streams hold a connection for ever and count towards neither: there may be as many of them as
    the limit of open files allows. With `proxies`, those that the environment names are used.
    """

    def __init__(
        self,
        *,
        connections: int = 500,
        per_host: int = 10,
        dns_cache_seconds: int = 300,
        proxies: bool = False,
    ) -> None:
        files = allow_many_files()
        # Half of the connections are for pictures, half for streams, which keep what they have.
        may_have = most_connections(files) // 2
        self.places = RequestPlaces(min(connections, may_have), per_host)
        self._streams = asyncio.Semaphore(may_have)
        few = may_have < connections
        # Where files are few, no connection is kept for a camera's next picture.
        self._session = _session(dns_cache_seconds, force_close=few, socket_factory=guarded_socket)
        self._unguarded = _session(dns_cache_seconds, force_close=few, socket_factory=None)
        self._proxies = proxies

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

    async def get(
        self, url: URL, headers: Mapping[str, str], limits: aiohttp.ClientTimeout, trusted: Trusted
    ) -> aiohttp.ClientResponse:
        """The answer of a host, without redirects. This machine and its network link only answer if `url` names them.

        Raises aiohttp's errors; OffLimits is inside of one where a name stands for this machine.
        """
        proxy = _proxy(url) if self._proxies else None
        session = self._unguarded if proxy is not None or names_local(url.host or "") else self._session
        return await session.get(
            url, headers=headers, allow_redirects=False, timeout=limits, ssl=trusted, proxy=proxy
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._unguarded.close()


def _session(
    dns_cache_seconds: int, *, force_close: bool, socket_factory: SocketFactory | None
) -> aiohttp.ClientSession:
    # The connector counts the wait for a free connection towards the request's timeout: the cameras of a busy host
    # would be reported as silent. Hence `places`, and no limit here.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, ttl_dns_cache=dns_cache_seconds, force_close=force_close, socket_factory=socket_factory
        ),
        response_class=CertifiedResponse,
        headers={"Accept-Encoding": "identity"},  # JPEG does not shrink
        # We have no use for cameras' cookies, and a jar that a thousand of them fill is slow.
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _proxy(url: URL) -> str | None:
    """The proxy that the environment names for an address; HTTP ones only, which are all that FFmpeg knew as well."""
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(url.scheme) or proxies.get("http")
    if not proxy or not proxy.startswith("http://"):
        return None
    return None if urllib.request.proxy_bypass(url.host or "") else proxy


def leave(response: Response) -> None:
    """Give a connection back to the pool if its answer was read to the end, else close it."""
    if isinstance(response, aiohttp.ClientResponse):
        response.release()
    else:
        response.close()
