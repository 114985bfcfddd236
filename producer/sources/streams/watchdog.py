"""Decides when a decoding process must end: it does not answer, is stuck in FFmpeg, or has grown too large. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

PATIENCE_SECONDS = 30.0  # for an answer, and for one call into FFmpeg: three times its own time limit
AWAY_SECONDS = 5.0  # a watchdog that has not looked for this long was stopped itself


@dataclass(frozen=True, slots=True)
class ProcessFault:
    """Why a process is ended, in one word and in a sentence. `guilty` are the cameras to blame; None means unknown."""

    reason: str
    text: str
    guilty: frozenset[int] | None = None


class Watchdog:
    """Watches one process. `limit` is the resident memory it may have, in bytes; `now` is monotonic seconds."""

    def __init__(self, limit: int, now: float) -> None:
        self._limit = limit
        self._answered = now
        self._looked = now
        self._excused = now  # nothing from before this moment counts
        self._busy: dict[int, float] = {}

    def answered(self, busy: Mapping[int, float], now: float) -> None:
        """Note an answer of the process: for how many seconds each camera has been in FFmpeg's hands."""
        self._answered = now
        self._busy = dict(busy)

    def look(self, resident: int, now: float) -> ProcessFault | None:
        """The fault for which the process must end, if there is one. Look once a second; `resident` is in bytes."""
        if now - self._looked > AWAY_SECONDS:
            # A suspended machine, a paused container: the process stood still as long as we did.
            self._excused = now
        self._looked = now
        if resident > self._limit:
            return ProcessFault(
                "memory",
                f"the process that decodes it had {_mb(resident)} MB of memory, more than the "
                f"{_mb(self._limit)} MB of PRODUCER_STREAM_MEMORY_MB",
            )
        if (silent := now - max(self._answered, self._excused)) > PATIENCE_SECONDS:
            return ProcessFault("stuck", f"the process that decodes it has not answered for {silent:.0f} s")
        stuck = self._stuck(now)
        if stuck:
            return ProcessFault(
                "stuck", f"decoding has been stuck in it for {PATIENCE_SECONDS:.0f} s and more", stuck
            )
        return None

    def _stuck(self, now: float) -> frozenset[int]:
        longest = now - self._excused
        return frozenset(
            camera for camera, seconds in self._busy.items() if min(seconds, longest) > PATIENCE_SECONDS
        )


def blamed(fault: ProcessFault | None, cameras: Collection[int]) -> frozenset[int]:
    """Those of a process's `cameras` that may be to blame for its end: all of them, if nothing is known."""
    if fault is None or fault.guilty is None:
        return frozenset(cameras)
    return fault.guilty & frozenset(cameras)


def _mb(size: int) -> int:
    return round(size / 1_000_000)
