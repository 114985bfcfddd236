"""Reads a camera of this machine: `webcam:0` is /dev/video0."""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np

from producer.errors import SourceError
from producer.frames import Captured, Pixels, Skipped
from producer.sources.pacing import Rate
from producer.sources.threads import in_thread


class Webcam:
    """The frames of a Video4Linux device; `fps` thins them to that many a second (0: all)."""

    retries = True

    def __init__(
        self, number: int, *, shown: str | None = None, fps: float = 0.0, devices: Path = Path("/dev")
    ) -> None:
        self._number = number
        self._fps = fps
        self._device = devices / f"video{number}"
        self._shown = shown or str(self._device)

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        rate = Rate(self._fps)
        async with aclosing(in_thread(self._read, "webcam")) as items:
            async for captured in items:
                yield captured if rate.wants(time.monotonic()) else Skipped("rate")

    def _read(self) -> Generator[Captured]:
        if not self._device.exists():
            raise SourceError(
                "missing",
                f"there is no {self._shown}: plug the camera in, or pass the device to the container",
            )
        capture = cv2.VideoCapture(self._number, cv2.CAP_V4L2)
        try:
            if not capture.isOpened():
                raise SourceError(
                    "not_opened",
                    f"{self._shown} does not open: is it in use, or is this user not in the group video?",
                )
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a buffer would only make frames older
            while True:
                read, image = capture.read()
                if not read:
                    raise SourceError("closed", f"{self._shown} gives no more pictures: was it unplugged?")
                yield Captured(time.time(), Pixels(np.asarray(image, np.uint8)))
        finally:
            capture.release()
