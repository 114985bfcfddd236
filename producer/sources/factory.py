"""Makes the source of a camera, by its kind, with what sources of a kind share."""

from pathlib import Path
from typing import TYPE_CHECKING

from producer.catalogue.settings import CameraSettings
from producer.frames import FINE, Source
from producer.settings import ProducerSettings

if TYPE_CHECKING:
    from producer.sources.http.client import HttpClient
    from producer.sources.streams.pool import Pool


class SourceFactory:
    """Makes sources, inside the event loop. What they share is opened on first need: the demo loads no FFmpeg."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._client: HttpClient | None = None
        self._pool: Pool | None = None

    def source(self, wanted: CameraSettings) -> Source:
        """The source that is wanted, not opened yet."""
        target, label, fps = wanted.spec.target, wanted.spec.label, wanted.fps
        loop, paced = self._settings.end == "loop", not wanted.lossless
        sight = wanted.sight
        again = sight is not None and (sight.masks or sight.longer_side or sight.recompress)
        # Pictures that are encoded twice should lose little.
        quality = FINE if again else self._settings.jpeg_quality
        match wanted.spec.kind:
            case "demo":
                from producer.sources.demo import Demo

                return Demo(int(target), fps)
            case "video":
                from producer.sources.video import Video

                return Video(
                    Path(target),
                    self._decoders(),
                    shown=label,
                    fps=fps,
                    quality=quality,
                    loop=loop,
                    paced=paced,
                )
            case "folder":
                from producer.sources.folder import Folder

                return Folder(Path(target), shown=label, fps=fps, loop=loop, paced=paced)
            case "snapshot":
                from producer.sources.snapshot import Snapshot

                return Snapshot(
                    target,
                    self._http(),
                    shown=wanted.spec.shown,
                    fps=fps,
                    seconds=wanted.timeout,
                    trust=wanted.trust,
                    hosts=wanted.hosts,
                    video=lambda playlist: self._stream(wanted, quality, live=not playlist),
                )
            case "stream":
                return self._stream(wanted, quality)
            case "webcam":
                from producer.sources.webcam import Webcam

                return Webcam(int(target), shown=label, fps=fps)

    async def close(self) -> None:
        """Close what sources share, once none uses it any more."""
        if self._client is not None:
            await self._client.close()
        if self._pool is not None:
            await self._pool.close()

    def _stream(self, wanted: CameraSettings, quality: int, *, live: bool = False) -> Source:
        from producer.sources.stream import Stream

        spec, pool = wanted.spec, self._decoders()
        return Stream(
            spec.target,
            pool,
            shown=spec.shown,
            fps=wanted.fps,
            quality=quality,
            live=live,
            trust=wanted.trust,
            hosts=wanted.hosts,
        )

    def _http(self) -> "HttpClient":
        if self._client is None:
            from producer.sources.http.client import HttpClient

            self._client = HttpClient(
                connections=self._settings.http_connections,
                per_host=self._settings.http_connections_per_host,
                dns_cache_seconds=self._settings.dns_cache_seconds,
            )
        return self._client

    def _decoders(self) -> "Pool":
        if self._pool is None:
            from producer.sources.streams.pool import Pool

            self._pool = Pool(
                cameras=self._settings.streams_per_process, memory_mb=self._settings.stream_memory_mb
            )
            self._pool.start()
        return self._pool
