"""Stretches of motion in which nothing was detected, of results as they are stored. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from contract.description import is_described
from contract.result import Result

SETTLED_SECONDS = 5.0
"""So long after its beginning a stretch counts as one without a face: who comes in is seen from behind at first."""
MOST_CAMERAS = 10_000


@dataclass(slots=True)
class MotionStretch:
    """Of a camera; times are those of capture, in Unix seconds. `frame_id` is the newest frame that shows it.

    `event` is when its event began, once it has one, and `told` until when that is known to last.
    """

    camera_id: str
    started: float
    ended: float
    frame_id: str
    model: str
    asked: bool = False
    event: float | None = None
    told: float = 0.0


class MotionWatch:
    """A stretch goes on while motion is at most `gap` seconds apart, and ends where somebody is detected.

    Motion is a change of at least the share `least` of the picture. Only cameras that are `allowed` are looked at.
    """

    def __init__(self, gap: float, least: float, allowed: Callable[[str], bool]) -> None:
        self._gap = gap
        self._least = least
        self._allowed = allowed
        self._faces: dict[str, float] = {}
        self._stretches: dict[str, MotionStretch] = {}

    def hear(self, result: Result, when: float) -> None:
        """Take a result and the moment of its capture."""
        if result.status != "ok" or is_described(result.frame_id):
            return
        camera_id = result.camera_id
        if result.detections:
            if self._allowed(camera_id):
                self._faces[camera_id] = max(when, self._faces.get(camera_id, when))
                self._stretches.pop(camera_id, None)
        elif isinstance(result.motion, float) and result.motion >= self._least and self._allowed(camera_id):
            self._moved(result, when)

    def due(self, wall: float) -> list[MotionStretch]:
        """Stretches that are old enough to be asked for, each until it is `asked`; those that are over are gone."""
        for camera_id in [each for each, at in self._faces.items() if at < wall - self._gap]:
            del self._faces[camera_id]
        for camera_id in [each for each, it in self._stretches.items() if it.ended < wall - 2 * self._gap]:
            del self._stretches[camera_id]
        settled = wall - SETTLED_SECONDS
        return [each for each in self._stretches.values() if not each.asked and each.started <= settled]

    def longer(self) -> list[MotionStretch]:
        """Stretches with an event that has become longer."""
        return [
            each for each in self._stretches.values() if each.event is not None and each.ended > each.told
        ]

    def _moved(self, result: Result, when: float) -> None:
        camera_id = result.camera_id
        if when - self._faces.get(camera_id, float("-inf")) <= self._gap:
            return  # somebody was just there, and has an event
        stretch = self._stretches.get(camera_id)
        if stretch is not None and when - stretch.ended <= self._gap:
            if when > stretch.ended:
                stretch.ended, stretch.frame_id, stretch.model = when, result.frame_id, result.model
        elif stretch is not None or len(self._stretches) < MOST_CAMERAS:
            self._stretches[camera_id] = MotionStretch(camera_id, when, when, result.frame_id, result.model)
