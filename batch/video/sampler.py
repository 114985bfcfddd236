"""Decides which pictures of a video are analysed, and whose result holds for the others. Pure."""

from typing import Literal, NamedTuple

from batch.video.glance import Glance, difference
from batch.video.remembrance import Remembrance
from batch.video.settings import VideoSettings

Why = Literal["first", "changed", "refresh", "still", "repeated"]
"""Why a picture is analysed (the first three), or what it shows that is known already."""


class SampleVerdict(NamedTuple):
    """The word on one picture; `reuse_of` is the sample whose result holds for it, None for one that is analysed."""

    why: Why
    reuse_of: int | None = None


class Sampler:
    """The sampler of one video, which is shown its pictures in order.

    A picture is compared with the one *whose result would hold*, not with its neighbour. So nothing creeps past: what
    moves too slowly to differ from one picture to the next differs from that one sooner or later.
    """

    def __init__(self, settings: VideoSettings) -> None:
        self._settings = settings
        self._remembrance = Remembrance(settings.remembered, settings.area, settings.threshold)
        self._standing: tuple[int, Glance] | None = None
        self._since = 0.0  # when that one began to stand

    def look(self, index: int, glance: Glance, time: float) -> SampleVerdict:
        """Judge the picture of the sample `index` at `time` seconds."""
        given = self._settings
        if self._standing is None:
            return self._analyse("first", index, glance, time)
        if given.skip_still and difference(self._standing[1], glance, given.threshold) <= given.area:
            if given.refresh and time - self._since >= given.refresh:
                return self._analyse("refresh", index, glance, time)
            return SampleVerdict("still", self._standing[0])
        if given.skip_repeated and (repeated := self._remembrance.find(glance)) is not None:
            self._standing, self._since = repeated, time
            return SampleVerdict("repeated", repeated[0])
        return self._analyse("changed", index, glance, time)

    def _analyse(self, why: Why, index: int, glance: Glance, time: float) -> SampleVerdict:
        self._standing, self._since = (index, glance), time
        if self._settings.skip_repeated:
            self._remembrance.add(index, glance)
        return SampleVerdict(why)
