"""Media for tests, made on the spot."""

from pathlib import Path

import av
import cv2
import numpy as np

from producer.frames import Image


def image(n: int = 0, width: int = 64, height: int = 48) -> Image:
    """A picture of one colour per `n`, with a bright square so that it is not flat."""
    picture = np.full((height, width, 3), ((37 * n) % 200, (91 * n) % 200, 80), np.uint8)
    picture[10:20, 10:20] = 255
    return picture


def jpeg(n: int = 0, quality: int = 90, width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(".jpg", image(n, width, height), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(n: int = 0) -> bytes:
    return cv2.imencode(".png", image(n))[1].tobytes()


def write_video(path: Path, frames: int = 30, fps: int = 30, codec: str = "mpeg4") -> Path:
    """A video of `frames` pictures; the container follows from the suffix."""
    formats = {"gif": "rgb8", "mjpeg": "yuvj420p"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = formats.get(codec, "yuv420p")
        if codec == "mpeg4":
            stream.codec_context.gop_size = 5
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(image(n), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
