"""How many are here: asked by Prometheus and the page, answered from the counts of all gateways or of this one."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from gateway.attendance.identities import epoch_of
from gateway.attendance.register import MINUTE, AttendanceRegister
from gateway.attendance_figures import ALL, Attendance, Counts
from gateway.errors import SharedUnavailable

FRESH_SECONDS = 5.0
"""So long an answer serves: a union of half an hour's sketches takes some milliseconds."""
KEPT_MINUTES = 180


class Headcount:
    """Answers from any thread but the event loop's: it may wait for Redis, half a second at most per question."""

    def __init__(self, register: AttendanceRegister, *, clock: Callable[[], float] = time.time) -> None:
        self._register = register
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._known: Attendance | None = None
        self.series: deque[tuple[float, int, int]] = deque(maxlen=KEPT_MINUTES)
        """Of each minute: when (Unix seconds), users and sessions of the session's window."""

    def now(self) -> Attendance:
        """The counts, at most five seconds old."""
        with self._lock:
            if self._known is None or time.monotonic() >= self._until:
                self._known = self._count()
                self._until = time.monotonic() + FRESH_SECONDS
            return self._known

    async def follow(self) -> None:
        """Keep the counts for the series, once a minute, until it is cancelled."""
        while True:
            await asyncio.to_thread(self.note)
            await asyncio.sleep(MINUTE - self._clock() % MINUTE)

    def note(self) -> None:
        """Keep the counts for the series."""
        attendance = self.now()
        counts = attendance.counts["session"]
        self.series.append((attendance.time, counts["users"][ALL], counts["sessions"][ALL]))

    def _count(self) -> Attendance:
        wall = self._clock()
        minute = int(wall) // MINUTE
        windows, shared = self._register.windows, self._register.shared
        trouble = self._register.trouble
        if shared is not None and not trouble:
            try:
                return Attendance(wall, shared.counts(minute), shared=True, windows=windows)
            except SharedUnavailable as error:
                trouble = str(error)
        alone = None if shared is None else False
        return Attendance(wall, self._own(minute), shared=alone, trouble=trouble, windows=windows)

    def _own(self, minute: int) -> Counts:
        buckets, epoch = self._register.buckets, epoch_of(minute)
        return {
            window: buckets.counts(epoch, minute, minutes)
            for window, minutes in self._register.windows._asdict().items()
        }
