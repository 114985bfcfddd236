"""Decides which process decodes which camera: few processes, but a camera that ends them gets one alone. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Process = TypeVar("Process")

REMEMBER_SECONDS = 600.0
DEATHS = 2  # so many processes must end under a camera, in that time, before it gets one of its own


@dataclass(frozen=True, slots=True)
class Seats(Generic[Process]):
    """A running process, the number of its cameras, and whether it is kept for one camera alone."""

    process: Process
    cameras: int
    alone: bool


class Seating:
    """Seats at most `most` cameras in a process. Any text that stays the same names a camera."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._deaths: defaultdict[str, list[float]] = defaultdict(list)

    def died(self, cameras: Iterable[str], now: float) -> None:
        """Note that a process ended without being asked to, and that these cameras may be to blame."""
        for camera in cameras:
            self._deaths[camera].append(now)
        for camera in [c for c, times in self._deaths.items() if now - times[-1] > REMEMBER_SECONDS]:
            del self._deaths[camera]

    def alone(self, camera: str, now: float) -> bool:
        """Whether this camera must not share a process with any other."""
        times = self._deaths.get(camera, [])
        return sum(now - time <= REMEMBER_SECONDS for time in times) >= DEATHS

    def seat(self, camera: str, running: Iterable[Seats[Process]], now: float) -> Process | None:
        """The process for this camera, the fullest that has room; None if a new one is needed."""
        if self.alone(camera, now):
            free = [each for each in running if each.alone and not each.cameras]
        else:
            free = [each for each in running if not each.alone and each.cameras < self._most]
        return max(free, key=lambda each: each.cameras).process if free else None
