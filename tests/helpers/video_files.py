"""Video files made by ffmpeg, as cameras and recorders make them."""

import subprocess
from pathlib import Path

from tests.helpers.components import require

CODECS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0"],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "mpeg4": ["-c:v", "mpeg4", "-q:v", "4"],
    "mjpeg": ["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p"],
    "flv1": ["-c:v", "flv", "-q:v", "4"],
    "vp8": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"],
    "vp9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "gif": [],
}


def make(
    path: Path,
    codec: str = "h264",
    *,
    seconds: float = 2.0,
    fps: int = 25,
    size: str = "320x240",
    gop: int = 25,
) -> Path:
    """FFmpeg's moving test picture; the container follows from the suffix."""
    picture = f"testsrc2=size={size}:rate={fps}:duration={seconds}"
    run("-f", "lavfi", "-i", picture, *CODECS[codec], "-g", str(gop), str(path))
    return path


def run(*arguments: str) -> None:
    """ffmpeg, to its end."""
    ffmpeg = require("ffmpeg")
    subprocess.run([ffmpeg, "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)
