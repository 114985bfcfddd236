"""Which process decodes which camera: few processes, but who ends them gets one alone. Pure: times are arguments."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Process = TypeVar("Process")

REMEMBER_SECONDS = 600.0
DEATHS = 2  # processes that ended under a camera, in that time, before it gets one of its own


@dataclass(frozen=True, slots=True)
class Seats(Generic[Process]):
    """A process that runs: how many cameras it has, and whether it is for one alone."""

    process: Process
    cameras: int
    alone: bool


class Seating:
    """`most` cameras to a process. A camera is known by any text that stays the same when it is opened again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._deaths: defaultdict[str, list[float]] = defaultdict(list)

    def died(self, cameras: Iterable[str], now: float) -> None:
        """A process ended that was not asked to, and these may be to blame."""
        for camera in cameras:
            self._deaths[camera].append(now)
        for camera in [c for c, times in self._deaths.items() if now - times[-1] > REMEMBER_SECONDS]:
            del self._deaths[camera]

    def alone(self, camera: str, now: float) -> bool:
        """Whether it shares a process with no other."""
        times = self._deaths.get(camera, [])
        return sum(now - time <= REMEMBER_SECONDS for time in times) >= DEATHS

    def seat(self, camera: str, running: Iterable[Seats[Process]], now: float) -> Process | None:
        """The process for it, or None for a new one; among several the fullest with room."""
        if self.alone(camera, now):
            free = [each for each in running if each.alone and not each.cameras]
        else:
            free = [each for each in running if not each.alone and each.cameras < self._most]
        return max(free, key=lambda each: each.cameras).process if free else None
