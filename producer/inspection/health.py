"""A camera's health beyond "bytes arrive": what is wrong with its pictures."""

from dataclasses import dataclass
from typing import Literal

from producer.inspection.exposure import Black, Blinded
from producer.inspection.focus import Defocused
from producer.inspection.frozen import Frozen
from producer.inspection.levels import Levels, levels_of, sharpness_of
from producer.inspection.luma import Luma
from producer.inspection.masks import Mask
from producer.inspection.moved import Moved

Defect = Literal["frozen", "black", "blinded", "defocused", "moved"]

THOROUGH_SECONDS = 10.0  # between looks at sharpness and position, which need a larger picture


@dataclass(frozen=True, slots=True)
class Change:
    """A defect began (`on`) or ended; `text` says it to the operator."""

    defect: Defect
    on: bool
    text: str


class Health:
    """One camera's health. `now` is monotonic seconds; each call returns what changed by it.

    Give it every frame: `look`, or `repeated` for one that is the same as before, byte for byte, or that the camera
    says has not changed. When `due`, give `look` the larger grey picture too (`luma.DETAIL`).
    """

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._frozen, self._black, self._blinded = Frozen(), Black(), Blinded()
        self._defocused, self._moved = Defocused(), Moved(mask)
        self._levels: Levels | None = None
        self._thorough_at = float("-inf")
        self._on: dict[Defect, None] = {}  # in the order in which they began

    @property
    def defects(self) -> tuple[Defect, ...]:
        """The defects that the camera has now, the oldest first."""
        return tuple(self._on)

    def due(self, now: float) -> bool:
        """Return whether the next look should be a thorough one."""
        return now - self._thorough_at >= THOROUGH_SECONDS

    def repeated(self, now: float) -> list[Change]:
        """The same picture again: what it shows, it still shows."""
        changes = self._set("frozen", self._frozen.look(True, now), self._still(now))
        if self._levels is not None:
            changes += self._exposure(self._levels, now)
        return changes

    def look(self, luma: Luma, now: float, detail: Luma | None = None) -> list[Change]:
        """A picture that differs from the one before: small and grey; for a thorough look also a larger one."""
        changes = self._set("frozen", self._frozen.look(False, now), self._still(now))
        self._levels = levels = levels_of(luma, self._mask)
        changes += self._exposure(levels, now)
        if detail is not None:
            self._thorough_at = now
            changes += self._thorough(luma, detail, levels, now)
        return changes

    def restart(self) -> None:
        """The camera is back: the time that it was away does not count. What was wrong is so until looks differ."""
        for part in (self._frozen, self._black, self._blinded, self._defocused, self._moved):
            part.restart()

    def accept(self) -> list[Change]:
        """The view as it is now is the camera's: somebody says so, or it moved long ago."""
        self._blinded.forget()
        self._defocused.forget()
        self._moved.forget()
        return self._set("defocused", False) + self._set("moved", False)

    def _exposure(self, levels: Levels, now: float) -> list[Change]:
        black = self._black.look(levels, now)
        blinded = self._blinded.look(levels, now)
        return self._set("black", black, "the picture is black") + self._set(
            "blinded", blinded, "hardly anything can be seen: glare, fog, or the lens is covered"
        )

    def _thorough(self, luma: Luma, detail: Luma, levels: Levels, now: float) -> list[Change]:
        if self._black.suspect or self._blinded.suspect:
            return []
        defocused = self._defocused.look(sharpness_of(detail, self._mask), levels.bright, now)
        changes = self._set("defocused", defocused, "the picture is softer than it used to be")
        changes += self._set("moved", self._moved.look(luma, now), self._elsewhere())
        if self._moved.accepted(now):
            changes += self.accept()
        return changes

    def _still(self, now: float) -> str:
        return f"the same picture for {self._frozen.same_for(now):.0f} s"

    def _elsewhere(self) -> str:
        shift = self._moved.shift
        return f"the view moved by {shift:.0%} of its size" if shift else "the camera looks elsewhere"

    def _set(self, defect: Defect, on: bool, text: str = "") -> list[Change]:
        if on == (defect in self._on):
            return []
        if on:
            self._on[defect] = None
        else:
            del self._on[defect]
        return [Change(defect, on, text if on else f"no longer {defect}")]
