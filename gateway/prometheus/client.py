"""Asking Prometheus: bounded in time and size, with errors that say what is wrong with it."""

import asyncio
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import aiohttp
import msgspec

from contract.api.figures import Point
from gateway.errors import PrometheusError

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_CONNECTIONS = 48  # those of the proxy, and as many again for the cards
T = TypeVar("T")


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Series(msgspec.Struct):
    values: list[tuple[float, str]]


class _Vector(msgspec.Struct):
    result: list[_Sample]


class _Matrix(msgspec.Struct):
    result: list[_Series]


class Alert(msgspec.Struct):
    """A pending or firing alert; `activeAt` is an RFC 3339 time."""

    state: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    activeAt: str = ""
    value: str = ""


class AlertRule(msgspec.Struct):
    """An alert's rule. `health` is ok, err or unknown, `lastEvaluation` an RFC 3339 time."""

    name: str
    query: str
    duration: float = 0.0
    state: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    health: str = ""
    lastError: str = ""
    lastEvaluation: str = ""


class RuleGroup(msgspec.Struct):
    """The rules of a group in its file."""

    name: str
    rules: list[AlertRule]


class _Groups(msgspec.Struct):
    groups: list[RuleGroup]


class _Alerts(msgspec.Struct):
    alerts: list[Alert]


class _Good(msgspec.Struct, Generic[T]):
    data: T


class _Envelope(msgspec.Struct):
    status: Literal["success", "error"]


class _Failure(msgspec.Struct):
    error: str = ""


_vector = msgspec.json.Decoder(_Good[_Vector])
_matrix = msgspec.json.Decoder(_Good[_Matrix])
_groups = msgspec.json.Decoder(_Good[_Groups])
_alerts = msgspec.json.Decoder(_Good[_Alerts])
_envelope = msgspec.json.Decoder(_Envelope)
_failure = msgspec.json.Decoder(_Failure)
# RecursionError: a body that is nested thousands of brackets deep.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
ITS_STATUSES = frozenset({200, 400, 422, 503})
"""What Prometheus answers: good, no query, a query that failed, and too slow or too many."""


@dataclass(frozen=True, slots=True)
class PrometheusAnswer:
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
    ) -> PrometheusAnswer:
        """GET, or POST a form to, `/api/v1/<path>`. Raises PrometheusError."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},  # nothing is unpacked here: a bomb cannot go off
                auto_decompress=False,
            )
        try:
            async with asyncio.timeout(self._timeout):
                async with self._session.request(
                    "POST" if form else "GET",
                    f"{self._url}/api/v1/{path}",
                    params=None if form else list(parameters),
                    data=aiohttp.FormData(list(parameters)) if form else None,
                    allow_redirects=False,
                ) as response:
                    return PrometheusAnswer(response.status, await self._read(response))
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

    async def query(
        self, expression: str, at: float | None = None
    ) -> list[tuple[dict[str, str], float | None]]:
        """An instant vector, now or `at` (Unix seconds): labels and value, None for NaN. Raises PrometheusError."""
        moment = [] if at is None else [("time", f"{at:.3f}")]
        vector = await self._data(_vector, "query", [("query", expression), *moment])
        return [(sample.metric, number(sample.value[1])) for sample in vector.result]

    async def query_range(self, expression: str, start: float, end: float, step: int) -> list[Point]:
        """The first series of a range query. Raises PrometheusError."""
        parameters = [("query", expression), ("start", f"{start}"), ("end", f"{end}"), ("step", f"{step}")]
        matrix = await self._data(_matrix, "query_range", parameters)
        return [(time, number(value)) for time, value in matrix.result[0].values] if matrix.result else []

    async def alerts(self) -> list[Alert]:
        """Pending and firing alerts. Raises PrometheusError."""
        return (await self._data(_alerts, "alerts", [])).alerts

    async def alert_rules(self) -> list[RuleGroup]:
        """The rules of alerts, by group. Raises PrometheusError."""
        return (await self._data(_groups, "rules", [("type", "alert")])).groups

    async def _data(
        self, decoder: msgspec.json.Decoder[_Good[T]], path: str, parameters: Sequence[tuple[str, str]]
    ) -> T:
        answer = await self.request(path, parameters)
        try:
            if answer.status != 200:
                reason = _failure.decode(answer.body).error
                raise PrometheusError(502, "bad_response", f"Prometheus refused the query: {reason}")
            return decoder.decode(answer.body).data
        except UNREADABLE:
            raise PrometheusError(502, "bad_response", "Prometheus gave an invalid answer") from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status in (401, 403):
            raise PrometheusError(
                502,
                "bad_response",
                f"Prometheus does not let the gateway in (HTTP {response.status}): PROMETHEUS_URL needs its user and "
                "password, http://user:password@host:9090",
            )
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
            status = _envelope.decode(body).status
        except UNREADABLE:
            raise PrometheusError(
                502,
                "bad_response",
                f"what answers at PROMETHEUS_URL (HTTP {response.status}) is not a Prometheus",
            ) from None
        if response.status not in ITS_STATUSES or (response.status == 200) != (status == "success"):
            reason = _sentence(body)
            raise PrometheusError(
                502, "bad_response", f"Prometheus answered HTTP {response.status} ({status}): {reason}"
            )
        return bytes(body)


def number(text: str) -> float | None:
    """A sample's value; None for what a card cannot show: NaN, infinities, no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _sentence(body: bytearray) -> str:
    try:
        return _failure.decode(body).error[:500] or "no reason given"
    except UNREADABLE:
        return "no reason given"


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio's own words are for programmers: "Connect call failed ('127.0.0.1', 9090)".
        cause = error.os_error
        number = cause.errno or 0  # negative ones are of names that cannot be resolved
        said = os.strerror(number) if number > 0 else cause.strerror
        return said or type(cause).__name__
    return type(error).__name__  # messages may quote the URL, and with it a password
