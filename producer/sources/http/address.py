"""One camera's address, and how it is asked: with logins, redirects, and tolerance where a camera breaks the rules."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from producer.errors import NotHttp, SourceError, Untrusted
from producer.reach import Reach, plain
from producer.sources.http import tolerant
from producer.sources.http.answers import CameraAnswer, Response
from producer.sources.http.client import CertifiedResponse, HttpClient, leave
from producer.sources.http.errors import in_plain_words
from producer.sources.http.login import Login
from producer.trust import Trust, shown_fingerprint, written

REDIRECTS = 5
SECONDS = 10.0
"""The time for one picture, even where a camera sends a byte now and then. A stream may be silent for as long."""
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 2.0
LONGEST_REST = 60.0  # seconds; a camera that sends Retry-After is left alone no longer than this
NO_HANDSHAKE = (
    "takes the connection and does not begin with TLS in time: is it http:// at this port, or overloaded?"
)

_TRUSTED = Trust()
MISUNDERSTOOD = (aiohttp.ClientResponseError, aiohttp.ClientPayloadError)
"""What aiohttp raises for answers that break the rules of HTTP: the other reader may understand them."""


class CameraAddress:
    """The URL of one camera, with its login. `shown` is how messages call it, without secrets.

    `seconds` is how long a picture may take. `needs_tolerance` is set by whoever finds that only the tolerant reader
    understands this camera. `certificate_end` is when the certificate that its host last showed ends (Unix seconds), if
    it was verified. Until `rests_until` (monotonic seconds) the camera wants to be left alone. `hosts` are
    those that it may lead to besides its own.
    """

    def __init__(
        self,
        url: str,
        client: HttpClient,
        *,
        shown: str,
        seconds: float = SECONDS,
        trust: Trust = _TRUSTED,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self.shown = shown
        self.seconds = seconds
        parsed = _parsed(url)
        self._url = parsed and parsed.with_user(None)
        self._login = Login(parsed.user, parsed.password) if parsed else Login(None, None)
        self.place = client.places.at(str(parsed.origin()) if parsed else self.shown)
        self._client = client
        self._reach = Reach(plain(parsed.host or ""), parsed.port, hosts) if parsed else None
        self._trust = trust
        # All requests share this one object, because connections are kept by it.
        self._checked = trust.verify if trust.fingerprint is None else aiohttp.Fingerprint(trust.fingerprint)
        self.needs_tolerance = False
        self.certificate_end: float | None = None
        self.rests_until = 0.0
        connecting = min(seconds, CONNECT_SECONDS)
        self.picture_limits = aiohttp.ClientTimeout(sock_connect=connecting)
        self._stream_limits = aiohttp.ClientTimeout(sock_connect=connecting, sock_read=seconds)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[CameraAnswer]:
        """The answer to a request that may go on for ever. Raises SourceError, also while the answer is read."""
        try:
            async with self._client.streaming():
                try:
                    if self.needs_tolerance:
                        answer = await self.ask(None, None)
                    else:
                        answer = await self.ask(None, self._stream_limits)
                except MISUNDERSTOOD:
                    answer = await self.ask(None, None)
                try:
                    yield answer
                finally:
                    answer.response.close()
        except (TimeoutError, aiohttp.ClientError, OSError, EOFError, NotHttp, Untrusted) as error:
            raise await self.explained(error) from None

    def check(self, answer: CameraAnswer) -> None:
        """Raises SourceError for an answer that is not a success."""
        status = answer.response.status
        if status in (401, 403):
            raise SourceError("unauthorised", f"{self.shown} {self._refusal(answer)} ({status})")
        if status == 404:
            raise SourceError("not_found", f"{self.shown} is not there (404): check the path")
        if status in (429, 503):
            self.rests_until = time.monotonic() + _rest(answer.response)
        if status != 200:
            raise SourceError(f"http_{status // 100}xx", f"{self.shown} answers {status}")

    def _refusal(self, answer: CameraAnswer) -> str:
        """What is wrong with our login, as a 401 or 403 shows."""
        if answer.elsewhere:
            return "leads on to another host, which wants a login of its own: give that address"
        if not self._login.known:
            return "asks for a login: write the address with user:password@ before the host"
        return self._login.trouble or "refuses the user name or password"

    async def ask(
        self,
        headers: Mapping[str, str] | None,
        limits: aiohttp.ClientTimeout | None,
        url: URL | None = None,
    ) -> CameraAnswer:
        """The camera's answer, after logins and redirects. Without `limits` the tolerant reader asks.

        `url` is another address that the camera named. Raises SourceError where that or a redirect leads to a host that
        is not the camera's, and not allowed to it; the login is for its own scheme, host and port only.
        """
        own, reach = self._url, self._reach
        if own is None or reach is None:
            raise SourceError("invalid_url", f"{self.shown} is not an address that can be used")
        url = own if url is None else url
        logins = redirects = 0
        while True:
            elsewhere = url is not own and url.origin() != own.origin()
            if elsewhere and not reach.allows(url.host or "", url.port):
                raise reach.refusal(self.shown, url.host or "", url.port)
            sent = dict(headers) if headers else {}
            if not elsewhere and (login := self._login.header(url)) is not None:
                sent["Authorization"] = login
            # The fingerprint belongs to the camera, not to the host that it leads to.
            trust = self._trust if url.host == own.host else _TRUSTED
            response = await self._send(url, sent, limits, trust)
            if response.status == 401 and not elsewhere and logins < 2:
                offers = response.headers.getall("WWW-Authenticate", [])
                if self._login.learns(offers, again=logins > 0):
                    logins += 1
                    leave(response)
                    continue
            if response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
                redirects += 1
                leave(response)
                if redirects > REDIRECTS:
                    raise SourceError(
                        "redirects",
                        f"{self.shown} redirects without end: ask for the address that it should lead to",
                    )
                url = self._joined(url, response.headers["Location"])
                continue
            return CameraAnswer(response, elsewhere, url)

    async def _send(
        self, url: URL, headers: Mapping[str, str], limits: aiohttp.ClientTimeout | None, trust: Trust
    ) -> Response:
        if limits is not None:
            checked = self._checked if trust is self._trust else True
            try:
                response = await self._client.get(url, headers, limits, checked)
            except aiohttp.ConnectionTimeoutError:
                # aiohttp's time for a connection includes the handshake.
                if url.scheme == "https" and await _takes_connections(url):
                    raise SourceError("tls", f"{self.shown} {NO_HANDSHAKE}") from None
                raise
            if trust is self._trust and isinstance(response, CertifiedResponse):
                self.certificate_end = response.certificate_end
            return response
        return await tolerant.ask(
            url,
            headers,
            trust=trust,
            connect_seconds=min(self.seconds, CONNECT_SECONDS),
            silence=self.seconds,
        )

    def _joined(self, url: URL, location: str) -> URL:
        try:
            joined = url.join(URL(location)).with_user(None)
            joined.origin()
        except ValueError:
            joined = None
        if joined is None or joined.scheme not in ("http", "https"):
            raise SourceError("redirects", f"{self.shown} redirects to something that is not an HTTP address")
        return joined

    async def explained(self, error: Exception) -> SourceError:
        """The error in plain words, with the fingerprint of a certificate that is not trusted."""
        url = self._url
        untrusted = aiohttp.ClientConnectorCertificateError | aiohttp.ServerFingerprintMismatch
        if isinstance(error, aiohttp.ClientConnectorError | untrusted) and url and error.host != url.host:
            return in_plain_words(error, f"{self.shown} leads to {error.host}, which")
        said = in_plain_words(error, self.shown)
        if not isinstance(error, untrusted) or url is None or error.host != url.host or error.port is None:
            return said
        shown = await shown_fingerprint(error.host, error.port)
        if shown is None:
            return said
        return SourceError(
            said.reason, f"{said}. If this is its own certificate, write `tls: {written(shown)}`"
        )


async def _takes_connections(url: URL) -> bool:
    """Whether somebody listens there at this moment."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, writer = await asyncio.open_connection(url.host, url.port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def _rest(response: Response) -> float:
    """Seconds for which the camera wants to be left alone; 0 if it does not say, or says a date."""
    said = response.headers.get("Retry-After", "")
    return min(float(said), LONGEST_REST) if said.isascii() and said.isdigit() else 0.0


def _parsed(url: str) -> URL | None:
    try:
        parsed = URL(url)
        parsed.origin()
    except ValueError:
        return None
    return parsed
