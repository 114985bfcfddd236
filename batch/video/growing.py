"""A file that is read while it is still written: an upload that goes on."""

import io
import time
from collections.abc import Callable
from typing import BinaryIO

POLL_SECONDS = 0.1


class GrowingFile(io.RawIOBase):
    """Reads on where a finished file would end, and waits there until more has come or nothing more will.

    `finished` tells whether all has been written; `waiting` is called at each look that finds nothing new. It cannot be
    read from another place: FFmpeg would look for an index at an end that is none yet.
    """

    def __init__(
        self,
        file: BinaryIO,
        finished: Callable[[], bool],
        waiting: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._file = file
        self._finished = finished
        self._waiting = waiting
        self._sleep = sleep

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while True:
            over = self._finished()  # asked first: what came between the two looks is not missed
            data = self._file.read(len(buffer))
            if data or over:
                buffer[: len(data)] = data
                return len(data)
            self._waiting()
            self._sleep(POLL_SECONDS)

    def wait(self) -> None:
        """Wait until all has been written."""
        while not self._finished():
            self._waiting()
            self._sleep(POLL_SECONDS)

    def rewound(self) -> BinaryIO:
        """The file itself, from its beginning; it can be read from any place."""
        self._file.seek(0)
        return self._file
