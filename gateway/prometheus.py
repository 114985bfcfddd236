"""Asking Prometheus: bounded in time and size, with errors that say what is wrong with it."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import msgspec

from gateway.views import Point

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024


class PrometheusError(Exception):
    """Prometheus gave no usable answer. `status` is what the gateway answers in its place."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


class _Envelope(msgspec.Struct):
    status: Literal["success", "error"]
    data: Any = None
    error: str = ""


class _EnvelopeOnly(msgspec.Struct):
    status: Literal["success", "error"]


_envelope = msgspec.json.Decoder(_Envelope)
_envelope_only = msgspec.json.Decoder(_EnvelopeOnly)


@dataclass(frozen=True, slots=True)
class Answer:
    """Prometheus' own answer, JSON in its usual shape; `status` may be an error's."""

    status: int
    body: bytes


class Prometheus:
    """A client of one Prometheus. `url` has no trailing slash and may contain credentials."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._url = url
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def request(
        self, path: str, parameters: Sequence[tuple[str, str]], *, form: bool = False
    ) -> Answer:
        """GET, or POST a form to, `/api/v1/<path>`. Raises PrometheusError."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32))
        try:
            async with asyncio.timeout(self._timeout):
                async with self._session.request(
                    "POST" if form else "GET",
                    f"{self._url}/api/v1/{path}",
                    params=None if form else list(parameters),
                    data=aiohttp.FormData(list(parameters)) if form else None,
                    allow_redirects=False,
                ) as response:
                    return Answer(response.status, await self._read(response))
        except TimeoutError:
            raise PrometheusError(
                504,
                "timeout",
                f"Prometheus did not answer within {self._timeout:g} s: ask for less, or see how it is",
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PrometheusError(
                502, "unavailable", f"Prometheus cannot be reached: {_reason(error)}"
            ) from None

    async def query(self, expression: str) -> list[tuple[dict[str, str], float | None]]:
        """An instant vector: labels and value, None for NaN. Raises PrometheusError."""
        data = await self._data("query", [("query", expression)])
        with _Nonsense():
            return [(item["metric"], number(item["value"][1])) for item in data["result"]]

    async def query_range(self, expression: str, start: float, end: float, step: int) -> list[Point]:
        """The first series of a range query. Raises PrometheusError."""
        parameters = [("query", expression), ("start", f"{start}"), ("end", f"{end}"), ("step", f"{step}")]
        data = await self._data("query_range", parameters)
        with _Nonsense():
            if not data["result"]:
                return []
            return [(float(time), number(value)) for time, value in data["result"][0]["values"]]

    async def alerts(self) -> list[Mapping[str, Any]]:
        """Pending and firing alerts as Prometheus shows them. Raises PrometheusError."""
        data = await self._data("alerts", [])
        with _Nonsense():
            return list(data["alerts"])

    async def _data(self, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
        answer = await self.request(path, parameters)
        envelope = _envelope.decode(answer.body)
        if envelope.status != "success":
            raise PrometheusError(502, "bad_response", f"Prometheus refused the query: {envelope.error}")
        return envelope.data

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > self._max_bytes:
                raise PrometheusError(
                    502,
                    "too_large",
                    f"the answer exceeds {self._max_bytes} bytes: ask for fewer series or points",
                )
        try:
            _envelope_only.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise PrometheusError(
                502,
                "bad_response",
                f"what answers at PROMETHEUS_URL (HTTP {response.status}) is no Prometheus",
            ) from None
        return bytes(body)


class _Nonsense:
    """Turns a surprising shape of the data into PrometheusError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (KeyError, IndexError, TypeError, ValueError, AttributeError)):
            raise PrometheusError(502, "bad_response", "Prometheus answered in a shape of its own") from error


def number(text: str) -> float | None:
    """A sample's value; None for NaN and infinities, which a card cannot show."""
    value = float(text)
    return value if math.isfinite(value) else None


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or type(error.os_error).__name__
    return type(error).__name__  # messages may quote the URL, and with it a password
