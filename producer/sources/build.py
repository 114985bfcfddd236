"""The source of a camera, by kind."""

from pathlib import Path
from typing import TYPE_CHECKING

from producer.frames import Source
from producer.grammar import CameraSpec

if TYPE_CHECKING:
    import aiohttp


def build(
    spec: CameraSpec, session: "aiohttp.ClientSession | None", *, fps: float, loop: bool, paced: bool
) -> Source:
    """The source that `spec` names. Its libraries are imported only here: who shows the demo loads no FFmpeg."""
    match spec.kind:
        case "demo":
            from producer.sources.demo import Demo

            return Demo(int(spec.target), fps)
        case "video":
            from producer.sources.video import Video

            return Video(Path(spec.target), fps=fps, loop=loop, paced=paced)
        case "folder":
            from producer.sources.folder import Folder

            return Folder(Path(spec.target), fps=fps, loop=loop, paced=paced)
        case "snapshot":
            from producer.sources.snapshot import Snapshot

            if session is None:
                raise ValueError("a snapshot camera needs the HTTP client")
            return Snapshot(spec.target, session, fps=fps)
        case "rtsp":
            from producer.sources.rtsp import Rtsp

            return Rtsp(spec.target, fps=fps)
        case "webcam":
            from producer.sources.webcam import Webcam

            return Webcam(int(spec.target), fps=fps)
