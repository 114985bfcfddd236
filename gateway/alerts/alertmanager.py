"""Asking Alertmanager which alerts are silenced, and by what: bounded in time and size."""

import asyncio
from typing import TypeVar

import aiohttp
import msgspec

from gateway.errors import AlertmanagerError

TIMEOUT_SECONDS = 3.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
T = TypeVar("T")


class Matcher(msgspec.Struct):
    """A part of what a silence is about."""

    name: str
    value: str
    isRegex: bool = False
    isEqual: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.isRegex else "=") if self.isEqual else ("!~" if self.isRegex else "!=")
        return f"{self.name}{sign}{self.value}"


class _State(msgspec.Struct):
    state: str = ""


class Silence(msgspec.Struct):
    """A silence; times are RFC 3339."""

    id: str
    matchers: list[Matcher] = []
    comment: str = ""
    createdBy: str = ""
    startsAt: str = ""
    endsAt: str = ""
    status: _State = msgspec.field(default_factory=_State)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status.state == "expired"


class _AlertStatus(msgspec.Struct):
    silencedBy: list[str] = []


class Held(msgspec.Struct):
    """An alert as Alertmanager has it."""

    labels: dict[str, str]
    status: _AlertStatus = msgspec.field(default_factory=_AlertStatus)


_silences = msgspec.json.Decoder(list[Silence])
_held = msgspec.json.Decoder(list[Held])


class Alertmanager:
    """A client of one Alertmanager. `url` has no trailing slash and may contain credentials."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def silences(self) -> list[Silence]:
        """Those that hold, or will. Raises AlertmanagerError."""
        return [each for each in await self._get("silences", _silences) if not each.over]

    async def silenced(self) -> list[Held]:
        """The alerts that a silence holds back. Raises AlertmanagerError."""
        held = await self._get("alerts?active=false&inhibited=false&unprocessed=false&silenced=true", _held)
        return [each for each in held if each.status.silencedBy]

    async def _get(self, path: str, decoder: msgspec.json.Decoder[T]) -> T:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},  # nothing is unpacked here: a bomb cannot go off
                auto_decompress=False,
            )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                async with self._session.get(f"{self._url}/api/v2/{path}", allow_redirects=False) as response:
                    if response.status != 200:
                        raise AlertmanagerError(f"Alertmanager answered HTTP {response.status}")
                    return decoder.decode(await _body(response))
        except TimeoutError:
            raise AlertmanagerError(f"Alertmanager did not answer within {TIMEOUT_SECONDS:g} s") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise AlertmanagerError("what answers at ALERTMANAGER_URL is not an Alertmanager") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Messages may quote the URL, and with it a password.
            raise AlertmanagerError(f"Alertmanager cannot be reached: {type(error).__name__}") from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AlertmanagerError(f"Alertmanager's answer exceeds {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
