"""One call to an OpenAI-compatible endpoint."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from runtime.version import VERSION
from worker.remote.errors import BadAnswer, CallFailed, Passing, TimedOut
from worker.remote.refusals import refusal

MAX_ANSWER = 2 * 1024 * 1024
"""Bytes of an answer that are read."""


@dataclass(slots=True)
class _Departure:
    """A request on its way out: `ready` is called when there is a connection to send it by."""

    ready: Callable[[], Awaitable[None]]
    sent: bool = False


class Endpoint:
    """The connections to one endpoint. Open it inside the event loop; certificates are verified, redirects refused."""

    def __init__(self, url: str, key: str | None, timeout: float, connections: int) -> None:
        self._url = f"{url}/chat/completions"
        self._timeout = timeout
        self.host = urlsplit(url).netloc
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_ready)
        trace.on_connection_reuseconn.append(_ready)
        trace.on_request_headers_sent.append(_sent)
        headers = {"Content-Type": "application/json", "User-Agent": f"framefleet/{VERSION}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(10.0, timeout)),
            trace_configs=[trace],
            trust_env=True,  # a proxy is the only way out of many houses
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self, body: bytes, ready: Callable[[], Awaitable[None]]) -> bytes:
        """The answer's body. `ready` is awaited when there is a connection, before anything is sent.

        Raises what errors.py has: whatever an endpoint and the way to it may do is one of them.
        """
        departure = _Departure(ready)
        try:
            async with asyncio.timeout(self._timeout), self._post(body, departure) as response:
                return await _body(response)
        except TimeoutError:
            raise TimedOut(
                f"{self.host} has not answered within {self._timeout:g} s", sent=departure.sent
            ) from None
        except CallFailed:
            raise
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError, asyncio.IncompleteReadError) as error:
            raise Passing(_described(self.host, error), sent=departure.sent) from None

    def _post(self, body: bytes, departure: _Departure) -> Any:
        return self._session.post(self._url, data=body, allow_redirects=False, trace_request_ctx=departure)


async def _ready(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    await context.trace_request_ctx.ready()


async def _sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.sent = True


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise BadAnswer(f"the answer is larger than {MAX_ANSWER} bytes")
    if response.status == 200:
        return bytes(body)
    raise refusal(response.status, response.headers.get("Retry-After"), bytes(body))


def _described(host: str, error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLError):
        return f"the certificate of {host} cannot be verified"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"{host} is not known: see WORKER_REMOTE_URL"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{host} cannot be reached: is it up, and does WORKER_REMOTE_URL name the right port?"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError):
        return f"{host} closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"{host} cut its answer off"
    return f"the call to {host} failed ({type(error).__name__})"
