"""`python -m producer.sources.streams.child MEMORY`: decodes cameras as the producer at its standard input says.

One thread per camera: FFmpeg, OpenCV and the socket release Python's lock, so that they use all cores. The process ends
with the producer, whatever happens to either. It is confined, to so many bytes of MEMORY among other things, before it
hears of the first camera: what strangers send is taken apart here.
"""

import contextlib
import faulthandler
import importlib
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator

import cv2

from producer.sources.streams.certificates import authorities
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
from producer.trust import Trust
from runtime.confinement import confine

CHUNK = 65_536


def main() -> int:
    """Decode until the producer hangs up."""
    if os.geteuid() == 0:
        _load_early()
    for failed in confine(memory=int(sys.argv[1]), network=True):
        print(f"decoding process not confined by {failed}", file=sys.stderr)
    faulthandler.enable()  # a crash in C says in the log which Python called it
    # The producer ends us when it is done; a signal to the whole group (Ctrl-C) must not make cameras fail earlier.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hear_ffmpeg()
    cv2.setNumThreads(1)
    with socket.socket(fileno=sys.stdin.fileno()) as line:
        DecoderChild(line).run()
    sys.stderr.flush()
    # Threads may still be in FFmpeg, and would crash in an interpreter that is taken down under them.
    os._exit(0)


def _load_early() -> None:
    """Load what is otherwise loaded for the first camera that needs it: code for http addresses, 20 MB, and whom we
    trust. Once confined, what root has started is another user, who perhaps may not read it."""
    # `_strptime` reads the dates of certificates: `time.strptime` imports it when it is first called.
    for module in ("producer.sources.streams.web", "concurrent.futures.thread", "_strptime"):
        importlib.import_module(module)
    authorities()
    Trust().context()


class DecoderChild:
    """The cameras of one decoding process, as the producer orders them over `line`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._sending = threading.Lock()
        self._cameras: dict[int, CameraReader] = {}

    def run(self) -> None:
        """Carry out the producer's orders until it hangs up."""
        for order, file in self._orders():
            self._hear(order, file)

    def _orders(self) -> Iterator[tuple[Order, int | None]]:
        """What the producer says, and the open file that came along."""
        heard, files = bytearray(), deque[int]()
        while True:
            data, came, _, _ = socket.recv_fds(self._line, CHUNK, 1)
            if not data:
                return
            heard += data
            files.extend(came)  # never later than the first byte of its order
            while len(heard) >= LENGTH_BYTES:
                end = LENGTH_BYTES + length_of(bytes(heard[:LENGTH_BYTES]))
                if len(heard) < end:
                    break
                order = parse_order(bytes(heard[LENGTH_BYTES:end]))
                del heard[:end]
                yield order, files.popleft() if isinstance(order, Open) and order.with_file else None

    def _hear(self, order: Order, file: int | None) -> None:
        if isinstance(order, Ping):
            busy = {number: reading.busy() for number, reading in list(self._cameras.items())}
            self._send(Pong({number: seconds for number, seconds in busy.items() if seconds is not None}))
        elif isinstance(order, Open):
            reading = self._cameras[order.camera] = CameraReader(
                order.camera, order.request, self._send, file
            )
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


if __name__ == "__main__":
    sys.exit(main())
