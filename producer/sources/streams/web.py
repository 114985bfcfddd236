"""Reads for FFmpeg what is at an http(s) address: videos, HLS playlists, their keys and segments, by our own client.

FFmpeg would look at no certificate of segments and keys, send the login wherever a playlist leads, and open what it
names. So each of its wishes comes here (PyAV's `io_open`), and is asked for as pictures are: by one `CameraAddress`,
with its login, its certificate and its hosts. What is refused or fails is an empty file to FFmpeg, which leaves it out
and goes on; `trouble` tells why, where nothing is left. Nothing is raised into FFmpeg, which PyAV might print.
"""

import time
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from producer.errors import NotHttp, PlaylistError, SourceError, Untrusted
from producer.sources.http.address import MISUNDERSTOOD, CameraAddress
from producer.sources.http.answers import CameraAnswer
from producer.sources.http.client import leave
from producer.sources.streams import playlist
from producer.sources.streams.body import WebFile
from producer.sources.streams.encryption import decrypted
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.network import shared_network
from producer.trust import Trust

CONNECT_SECONDS, LOOK_SECONDS = 5.0, 6.0  # for a connection; for a look at a certificate that is not trusted
MOST_ENCRYPTED = 64 * 1024 * 1024  # bytes of a segment that is decrypted as a whole
FAILURES = 5  # segments in a row, after which nothing more is asked for
BURST, RATE = 60.0, 10.0  # requests at once, and a second
PLAYLIST_COST = 64 * 1024  # bytes for which a playlist counts once more

_LIMITS = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS)
_FAILURES = (TimeoutError, aiohttp.ClientError, OSError, EOFError, NotHttp, Untrusted)


class WebFiles:
    """Opens what one camera's address leads to; used by the camera's thread only.

    `until` (monotonic seconds) is when FFmpeg wants to have what it is waiting for. `name` is the address without its
    login: what FFmpeg calls it. `trouble` is what failed last; whoever gets something of the video may forget it.
    """

    def __init__(self, request: DecodeRequest) -> None:
        self.name = _without_login(request.url)
        self.until = float("inf")
        self.trouble: SourceError | None = None
        self._request = request
        self._network = shared_network()
        self._address: CameraAddress | None = None
        self._first: WebFile | None = None
        self._open: set[WebFile] = set()
        self._playlists: set[str] = set()
        self._failures = 0
        self._credit = BURST
        self._credited = time.monotonic()

    def begin(self) -> bool:
        """Ask for the address itself; returns whether it is a playlist. Raises SourceError."""
        try:
            self._address = self._network.run(self._made(), self.until)
            self._first = file = self._opened(self.name, {})
            playing = playlist.is_playlist(file.peek())
            if playing:
                self._playlists.add(self.name)
                self._first = self._listed(file, first=True)
        except (PlaylistError, *_FAILURES) as error:
            raise self._explained(error) from None
        return playing

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> WebFile:
        """Open an address for FFmpeg."""
        del flags  # they say that it is read
        if self._first is not None and url == self.name:
            file, self._first = self._first, None
            return file
        listed = url in self._playlists
        if self._failures >= FAILURES:
            return self._kept(WebFile(self))
        try:
            file = self._opened(url, options)
            if listed:
                return self._listed(file)
            if url.startswith("crypto"):
                file = self._decrypted(file, options)
            self._failures = 0
        except (SourceError, PlaylistError, *_FAILURES) as error:
            self.trouble = self._explained(error)
            self._failures += not listed
            return self._kept(WebFile(self))
        return file

    def close(self) -> None:
        """Close what is still open."""
        for file in list(self._open):
            file.close()

    def closed(self, file: WebFile) -> None:
        """Note that a file is closed."""
        self._open.discard(file)

    def more(self, pieces: AsyncIterator[bytes]) -> bytes:
        """The next piece of a body; nothing at its end, where it breaks off, and where FFmpeg's time is over."""
        try:
            return self._network.run(_next(pieces), self.until)
        except TimeoutError:
            return b""
        except _FAILURES as error:
            self.trouble = self._explained(error)
            return b""

    def leave(self, answer: CameraAnswer) -> None:
        """Give back the connection of an answer."""
        self._network.loop.call_soon_threadsafe(leave, answer.response)

    def part(self, url: str, begin: int) -> CameraAnswer | None:
        """The rest of a file, from its byte number `begin`; None where it cannot be had."""
        try:
            return self._asked(url, begin)
        except (SourceError, *_FAILURES) as error:
            self.trouble = self._explained(error)
            return None

    def _asked(self, url: str, begin: int = 0, end: int | None = None) -> CameraAnswer:
        """The answer of an address, from its byte number `begin` to the one before `end`. Raises what goes wrong."""
        assert self._address is not None  # noqa: S101 - `begin` made it
        target = _parsed(url, self._request.shown)
        self._wait_for_credit()
        part = bool(begin) or end is not None
        headers = {"Range": f"bytes={begin}-{'' if end is None else end - 1}"} if part else {}
        answer = self._network.run(_answer(self._address, headers, target), self.until)
        status = answer.response.status
        if part and status == 206:
            return answer
        try:
            self._address.check(answer)
        except SourceError:
            self.leave(answer)
            raise
        if begin:
            self.leave(answer)
            raise SourceError("http_2xx", f"{self._request.shown} sends no parts of its files")
        return answer

    async def _made(self) -> CameraAddress:
        request = self._request
        return CameraAddress(
            request.url,
            self._network.client,
            shown=request.shown,
            seconds=request.open_timeout or CONNECT_SECONDS,
            trust=Trust(request.verify, request.fingerprint),
            hosts=request.hosts,
        )

    def _opened(self, url: str, options: Mapping[str, str]) -> WebFile:
        end = options.get("end_offset")
        begin = int(options.get("offset", "0"))
        whole = begin == 0 and end is None
        plain = url.removeprefix("crypto+")
        answer = self._asked(plain, begin, None if end is None else int(end))
        return self._kept(WebFile(self, answer, plain if whole else None))

    def _listed(self, file: WebFile, *, first: bool = False) -> WebFile:
        """The playlist in a file, as FFmpeg may have it."""
        body = file.whole(playlist.MOST_BYTES)
        if time.monotonic() >= self.until:
            raise TimeoutError
        if body is None:
            raise PlaylistError(f"has a playlist of more than {playlist.MOST_BYTES >> 20} MiB")
        self._credit -= len(body) // PLAYLIST_COST
        found = playlist.read_playlist(body, file.url)
        if found.playlists and not first:
            raise PlaylistError("has playlists of playlists within playlists")
        self._playlists |= found.playlists
        if found.strange is not None:
            self.trouble = _no_web(found.strange, self._request.shown)
        return self._kept(WebFile(self, content=found.text))

    def _decrypted(self, file: WebFile, options: Mapping[str, str]) -> WebFile:
        body = file.whole(MOST_ENCRYPTED)
        if body is None:
            raise SourceError(
                "too_large", f"{self._request.shown} has segments of more than {MOST_ENCRYPTED >> 20} MiB"
            )
        content = decrypted(body, options.get("key", ""), options.get("iv", ""))
        return self._kept(WebFile(self, content=content))

    def _kept(self, file: WebFile) -> WebFile:
        self._open.add(file)
        return file

    def _explained(self, error: Exception) -> SourceError:
        if isinstance(error, SourceError):
            return error
        if isinstance(error, PlaylistError):
            return SourceError("playlist", f"{self._request.shown} {error}")
        assert self._address is not None  # noqa: S101 - nothing was asked before
        try:
            return self._network.run(self._address.explained(error), time.monotonic() + LOOK_SECONDS)
        except TimeoutError:
            return SourceError("timeout", f"{self._request.shown} does not answer in time")

    def _wait_for_credit(self) -> None:
        """Wait as long as it takes to keep to `RATE`. Raises SourceError where there is no time for that."""
        now = time.monotonic()
        self._credit = min(BURST, self._credit + (now - self._credited) * RATE) - 1
        self._credited = now
        wait = -self._credit / RATE
        if now + wait > self.until:
            raise SourceError(
                "playlist", f"{self._request.shown} leads to more than {RATE:.0f} addresses a second"
            )
        if wait > 0:
            time.sleep(wait)


async def _answer(address: CameraAddress, headers: Mapping[str, str], url: URL) -> CameraAnswer:
    try:
        return await address.ask(headers, _LIMITS, url)
    except MISUNDERSTOOD:
        return await address.ask(headers, None, url)


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")


def _no_web(url: str, shown: str) -> SourceError:
    scheme, colon, _ = url.partition(":")
    what = f"something at {scheme[:20]}:" if colon else "something that is not an address"
    return SourceError("elsewhere", f"{shown} leads to {what}, and only http:// and https:// are asked")


def _parsed(url: str, shown: str) -> URL:
    if not url.lower().startswith(playlist.WEB):
        raise _no_web(url, shown)
    try:
        parsed = URL(url, encoded=url.isascii() and url.isprintable() and " " not in url).with_user(None)
        parsed.origin()
    except ValueError:
        raise SourceError("elsewhere", f"{shown} leads to an address that cannot be taken apart") from None
    return parsed


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
