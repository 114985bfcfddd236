"""Folders of small pictures for jobs, some of them broken, and the command that computes them."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tests.helpers.tool import Tool

BROKEN = b"\xff\xd8\xff\xe0 a JPEG by its first bytes, and by no others"


def picture(number: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small JPEG that no other number gives."""
    image = np.full((size[1], size[0], 3), 120, np.uint8)
    image[:8, :8] = number % 251, number // 251 % 251, number // 63_001
    encoded: bytes = cv2.imencode(".jpg", image)[1].tobytes()
    # Colours lose bits in a JPEG: a comment after its first marker keeps each one's bytes its own.
    return encoded[:2] + b"\xff\xfe\x00\x06" + number.to_bytes(4) + encoded[2:]


def folder_of(folder: Path, count: int, *, broken_every: int = 100) -> set[str]:
    """Write so many pictures, spread over sub-folders, one in `broken_every` of them broken; returns their paths."""
    written = set()
    for number in range(count):
        file = folder / f"{number // 1000:03}" / f"{number:06}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(BROKEN if number % broken_every == broken_every - 1 else picture(number))
        written.add(str(file))
    return written


class Command:
    """`framefleet batch …` as a process."""

    def __init__(self, url: str, jobs: Path, *arguments: str | Path, **environment: str) -> None:
        # Results are kept beside the jobs, and not where those of this machine's user are. On a machine that tests keep
        # busy nobody gives way.
        environment = {"BATCH_CACHE_DIR": str(jobs / "kept"), "BATCH_SHARE": "1", **environment}
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "MODEL_DIR") if key in os.environ}
        self._tool = Tool(
            "batch",
            "--jobs",
            str(jobs),
            *map(str, arguments),
            environment={**kept, "AMQP_URL": url, **environment},
        )
        self.process = self._tool.process
        self.said = ""

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for its end; returns the exit status, and keeps what it said."""
        ended = self._tool.wait(seconds)
        self.said = ended.out + ended.err
        return ended.status

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """kill -9."""
        self._tool.kill()


def lines(file: Path) -> list[dict[str, Any]]:
    """The lines of an NDJSON output."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def changing_video(file: Path, frames: int, *, fps: int = 30) -> Path:
    """A video of which each picture shows something that no other shows."""
    return scenes(file, [(_mosaic(number), 1) for number in range(frames)], fps)


def scenes(file: Path, shown: list[tuple[Any, int]], fps: int = 10) -> Path:
    """A video of pictures (BGR), each for so many frames, without loss to speak of."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = shown[0][0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        stream.options = {"qmin": "1", "qmax": "2"}
        for image, count in shown:
            for _ in range(count):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return file


def _mosaic(number: int) -> Any:
    few = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
    return np.repeat(np.repeat(few, 16, 0), 16, 1)
