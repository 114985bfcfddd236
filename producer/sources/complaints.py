"""Logs what the picture decoders (libjpeg, libpng) say of damaged pictures, in few lines.

They write to C's `stderr`, which nothing but C uses here, so it is led into a pipe. File descriptor 2, where our log
and a crash's last words go, stays as it is.
"""

import ctypes
import os
import threading
import time
from typing import Any

from runtime.logs import get_logger

log: Any = get_logger("producer")

QUIET_SECONDS = 60.0
"""The same words are only counted for so long, and told with the next ones."""
MOST = 200  # different words, since they may hold numbers
LINE_BUFFERED = 1  # _IOLBF of stdio.h


def tell_complaints() -> None:
    """Log complaints until the process ends. Where C's `stderr` cannot be led elsewhere, nothing changes."""
    libc = ctypes.CDLL(None)
    try:
        stderr = ctypes.c_void_p.in_dll(libc, "stderr")
    except ValueError:  # the C library hides it
        return
    reader, writer = os.pipe()
    libc.fdopen.restype = ctypes.c_void_p
    file = libc.fdopen(writer, b"w")
    if not file:
        return
    libc.setvbuf(ctypes.c_void_p(file), None, LINE_BUFFERED, ctypes.c_size_t(0))
    stderr.value = file
    threading.Thread(target=_read, args=(reader,), name="decoders", daemon=True).start()


class Complaints:
    """Counts complaints that are repeated within QUIET_SECONDS. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, int]] = {}  # when, and how often since

    def heard(self, words: str, now: float) -> int | None:
        """How often these words were heard since they were last told, with this time; None if they are not told now."""
        since, count = self._told.get(words, (float("-inf"), 0))
        if now - since < QUIET_SECONDS:
            self._told[words] = since, count + 1
            return None
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[words] = now, 0
        return count + 1


def _read(reader: int) -> None:
    complaints = Complaints()
    with open(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            words = line.strip()[:200]
            times = complaints.heard(words, time.monotonic()) if words else None
            if times is not None:
                log.warning(
                    "a picture is damaged; its decoder does not say of which camera",
                    detail=words,
                    times=times,
                )
