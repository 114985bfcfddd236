"""The process that works on pictures, as its owner has it: started when it is needed, and again after a crash."""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from batch.pictures.messages import LARGEST, LENGTH_BYTES, PictureAnswer, PictureBox, PictureWish, send
from runtime.confinement import bare

MODULE = "batch.pictures.child"
PATIENCE_SECONDS = 20.0
"""So long a picture may take: the largest takes two."""


class UndecodablePicture(Exception):
    """A picture cannot be had as it was wanted; the sentence says why."""


class PictureWorkshop:
    """Turns pictures into JPEGs, one at a time, whichever thread asks. A picture that ends the process costs
    itself."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def jpeg(
        self, picture: bytes, *, boxes: Sequence[PictureBox] = (), width: int = 0, quality: int = 95
    ) -> bytes:
        """The picture as JPEG, upright. Raises UndecodablePicture."""
        with self._turn:
            process = self._running()
            try:
                answer = self._asked(process, PictureWish(picture, list(boxes), width, quality))
            except (OSError, EOFError, msgspec.DecodeError):
                self._end()
                raise UndecodablePicture(
                    "the picture makes its decoder crash, or takes it too long"
                ) from None
        if answer.error:
            raise UndecodablePicture(answer.error)
        return answer.jpeg

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd="/",
                env=bare(os.environ, network=False),
            )
        return self._process

    @staticmethod
    def _asked(process: subprocess.Popen[bytes], wish: PictureWish) -> PictureAnswer:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        send(process.stdin.fileno(), wish)
        until = time.monotonic() + PATIENCE_SECONDS
        length = int.from_bytes(_exactly(process.stdout.fileno(), LENGTH_BYTES, until))
        if length > LARGEST:
            raise EOFError
        return msgspec.msgpack.decode(_exactly(process.stdout.fileno(), length, until), type=PictureAnswer)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent any more
                    pipe.close()
        process.wait()


def _exactly(pipe: int, size: int, until: float) -> bytes:
    """So many bytes of a pipe. Raises EOFError."""
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(data) < size:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise EOFError
            more = os.read(pipe, min(size - len(data), 1 << 20))
            if not more:
                raise EOFError
            data += more
    return bytes(data)
