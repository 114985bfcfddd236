"""Videos written by PyAV for tests, of pictures that are told apart by what they show."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from batch.video.orientation import Image

CODECS = {".avi": "mpeg4", ".flv": "flv1", ".webm": "libvpx"}


def scene(n: int, width: int = 160, height: int = 120) -> Image:
    """A picture of blocks of grey levels and colours; another one for each `n`, and none like its neighbour."""
    blocks = np.random.default_rng(n).integers(20, 236, (6, 8, 3), np.uint8)
    rows = np.arange(height) * 6 // height
    columns = np.arange(width) * 8 // width
    return np.ascontiguousarray(blocks[rows][:, columns])


def write(
    path: Path,
    pictures: Iterable[Image],
    *,
    fps: int | Fraction = 10,
    times: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
    codec: str | None = None,
    gop: int = 12,
    sound: bool = False,
    rotation: int = 0,
) -> Path:
    """Write a video; the container follows from the suffix. `times` in seconds, `rotation` in degrees."""
    codec = codec or CODECS.get(path.suffix, "libx264")
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.gop_size = gop
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "18", "bf": "0"}
        if rotation:
            stream.set_display_rotation(rotation)
        heard = container.add_stream("aac", rate=48000) if sound else None
        unit = Fraction(1, 1000)
        for n, picture in enumerate(pictures):
            if n == 0:
                stream.height, stream.width = picture.shape[:2]
                stream.codec_context.time_base = unit if times else Fraction(1, fps)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = round(times[n] * 1000) if times else n
            frame.time_base = unit if times else Fraction(1, fps)
            container.mux(stream.encode(frame))
            if heard is not None:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 48000 // fps), np.float32), "fltp", "mono")
                silence.sample_rate = 48000
                silence.pts = n * (48000 // fps)
                container.mux(heard.encode(silence))
        container.mux(stream.encode())
        if heard is not None:
            container.mux(heard.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file that holds sound alone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
