"""Reads a live stream (RTSP, RTMP or HLS), which a process of its own decodes (`producer.sources.streams`)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.redaction import redact
from producer.sources.streams.feed import FrameFeed
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.pool import Pool
from producer.trust import Trust

OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 10.0
HLS_READ_TIMEOUT = 30.0  # a playlist grows by whole segments, which last ten seconds and more
# FFmpeg looks at a stream for up to five seconds before it gives frames, unless it is told otherwise (microseconds).
BRIEF = {"analyzeduration": "1000000"}
NOTHING_CAME = frozenset({"transport", "timeout", "not_a_video", "io_error", "closed"})
RTMP_OPTIONS = {"rtmp_live": "live", **BRIEF}


class Stream:
    """The frames of a stream as they come, at most `fps` a second (0: all), as JPEG of `quality`.

    `shown` is how messages call it, if the address has secrets that `redact` does not see (the key of an RTMP stream).
    `live` if an http address is not a playlist, but a video that comes as it is made (FLV, MPEG-TS).
    HLS comes in segments of seconds; it is played by its own timestamps, so that frames are spread over time.
    RTSP comes over TCP, since pictures smear where UDP loses packets; over UDP only if a camera offers nothing else.
    `trust` says how its certificate is judged, `hosts` where else than to its own host it may lead.
    """

    retries = True

    def __init__(
        self,
        url: str,
        pool: Pool,
        *,
        shown: str | None = None,
        fps: float = 0.0,
        quality: int = 85,
        live: bool = False,
        trust: Trust = Trust(),  # noqa: B008 - it does not change
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._url = url
        self._shown = redact(url) if shown is None else shown
        self._pool = pool
        self._fps = fps
        self._quality = quality
        self._live = live
        self._trust = trust
        self._hosts = hosts
        self._transport = "tcp"
        self._idle = False
        self._feed: FrameFeed | None = None

    def set_idle(self, idle: bool) -> None:
        """Say whether anything moves: if not, only keyframes are decoded, if they come at least every two seconds."""
        if idle != self._idle:
            self._idle = idle
            if self._feed is not None:
                self._feed.keyframes_only(idle)

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        came = False
        try:
            async with aclosing(self._items()) as items:
                async for item in items:
                    came = True
                    yield item
        except SourceError as error:
            if error.reason != "transport" or self._transport == "udp":
                raise self._over_udp(error, came) from None
        else:
            raise SourceError("closed", f"{self._shown} closed the stream")
        self._transport = "udp"
        async with aclosing(self.frames()) as items:
            async for item in items:
                yield item

    async def _items(self) -> AsyncGenerator[Captured | Skipped]:
        self._feed = feed = await self._pool.open(self._request())
        try:
            async with aclosing(feed.items()) as items:
                async for item in items:
                    yield item
        finally:
            self._feed = None
            feed.close()

    def _over_udp(self, error: SourceError, came: bool) -> SourceError:
        """The error, which says what was tried if nothing came over UDP either. The next time TCP is first again."""
        if self._transport != "udp":
            return error
        self._transport = "tcp"
        if came or error.reason not in NOTHING_CAME:
            return error
        return SourceError(
            "transport",
            f"{self._shown} refuses RTP over TCP, and over UDP nothing comes: "
            "allow TCP (interleaved) in the camera, or UDP in the firewall",
        )

    def _request(self) -> DecodeRequest:
        scheme = urlsplit(self._url).scheme.lower()
        http = scheme.startswith("http")
        hls = http and not self._live
        rtsp = {"rtsp_transport": self._transport, **BRIEF}
        options = {} if hls else BRIEF if http else RTMP_OPTIONS if scheme.startswith("rtmp") else rtsp
        return DecodeRequest(
            url=self._url,
            shown=self._shown,
            options=options,
            open_timeout=OPEN_TIMEOUT,
            read_timeout=HLS_READ_TIMEOUT if hls else READ_TIMEOUT,
            fps=self._fps,
            quality=self._quality,
            pace="media" if hls else "live",
            keyframes_only=self._idle,
            verify=self._trust.verify,
            fingerprint=self._trust.fingerprint,
            hosts=self._hosts,
        )
