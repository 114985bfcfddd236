"""Makes the source of a camera, by kind, with what sources of a kind share."""

from pathlib import Path
from typing import TYPE_CHECKING

from producer.frames import Source
from producer.settings import ProducerSettings
from producer.wanted import Wanted

if TYPE_CHECKING:
    import aiohttp


class Tools:
    """Use it inside the event loop. What is shared is opened when a camera first needs it: the demo loads no FFmpeg."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    def source(self, wanted: Wanted) -> Source:
        """The source that is wanted, not opened yet."""
        target, fps = wanted.spec.target, wanted.fps
        loop, paced = self._settings.end == "loop", not wanted.lossless
        match wanted.spec.kind:
            case "demo":
                from producer.sources.demo import Demo

                return Demo(int(target), fps)
            case "video":
                from producer.sources.video import Video

                return Video(Path(target), fps=fps, loop=loop, paced=paced)
            case "folder":
                from producer.sources.folder import Folder

                return Folder(Path(target), fps=fps, loop=loop, paced=paced)
            case "snapshot":
                from producer.sources.snapshot import Snapshot

                return Snapshot(target, self._http(), fps=fps)
            case "rtsp":
                from producer.sources.rtsp import Rtsp

                return Rtsp(target, fps=fps)
            case "webcam":
                from producer.sources.webcam import Webcam

                return Webcam(int(target), fps=fps)

    async def close(self) -> None:
        """Close what is shared, once no source uses it any more."""
        if self._session is not None:
            await self._session.close()

    def _http(self) -> "aiohttp.ClientSession":
        if self._session is None:
            from producer.sources.snapshot import open_session

            self._session = open_session()
        return self._session
