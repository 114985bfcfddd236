"""`python -m producer.sources.streams.child`: decodes cameras as the producer at its standard input says.

One thread per camera: FFmpeg, OpenCV and the socket release Python's lock, so that they use all cores. The process ends
with the producer, whatever happens to either.
"""

import contextlib
import ctypes
import faulthandler
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import cv2

from producer.sources.streams.messages import (
    LENGTH_BYTES,
    Close,
    KeyframesOnly,
    News,
    Open,
    Order,
    Ping,
    Pong,
    Take,
    framed,
    length_of,
    parse_order,
)
from producer.sources.streams.reader import CameraReader
from producer.sources.streams.redirects import hear_ffmpeg

PR_SET_PDEATHSIG = 1  # prctl(2)
# -1000 to 1000, see proc(5): if memory runs out, the kernel ends this process before all our others.
OOM_SCORE_ADJ = 500


def main() -> int:
    """Decode until the producer hangs up."""
    _die_with_parent()
    faulthandler.enable()  # a crash in C says in the log which Python called it
    # The producer ends us when it is done; a signal to the whole group (Ctrl-C) must not make cameras fail earlier.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE_ADJ))
    hear_ffmpeg()
    cv2.setNumThreads(1)
    with socket.socket(fileno=sys.stdin.fileno()) as line:
        DecoderChild(line).run()
    sys.stderr.flush()
    os._exit(
        0
    )  # threads may still be in FFmpeg, and would crash in an interpreter that is taken down under them


class DecoderChild:
    """The cameras of one decoding process, as the producer orders them over `line`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._sending = threading.Lock()
        self._cameras: dict[int, CameraReader] = {}

    def run(self) -> None:
        """Carry out the producer's orders until it hangs up."""
        with self._line.makefile("rb") as stream:
            while len(head := stream.read(LENGTH_BYTES)) == LENGTH_BYTES:
                self._hear(parse_order(stream.read(length_of(head))))

    def _hear(self, order: Order) -> None:
        if isinstance(order, Ping):
            busy = {number: reading.busy() for number, reading in list(self._cameras.items())}
            self._send(Pong({number: seconds for number, seconds in busy.items() if seconds is not None}))
        elif isinstance(order, Open):
            reading = self._cameras[order.camera] = CameraReader(order.camera, order.request, self._send)
            threading.Thread(
                target=self._read, args=(order.camera, reading), name=order.request.shown, daemon=True
            ).start()
        elif (camera := self._cameras.get(order.camera)) is None:
            return  # the camera has just ended
        elif isinstance(order, Take):
            camera.take()
        elif isinstance(order, KeyframesOnly):
            camera.keyframes_only(order.on)
        elif isinstance(order, Close):
            camera.close()

    def _read(self, number: int, reading: CameraReader) -> None:
        try:
            reading.run()
        finally:
            del self._cameras[number]

    def _send(self, news: News) -> None:
        with self._sending, contextlib.suppress(OSError):  # the producer is gone: `run` notices
            self._line.sendall(framed(news))


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
