"""Pictures of a job's videos that are kept when the video is not: of each second in which something was found
the best."""

import bisect
import os
from pathlib import Path
from typing import NamedTuple

ENDING = ".jpg"


class KeptFrame(NamedTuple):
    """A picture that is kept: the number of its frame, and its time in seconds of the video."""

    frame: int
    time: float

    @property
    def name(self) -> str:
        """Its name; by name is by time."""
        return f"{round(self.time * 1000):012}-{self.frame}{ENDING}"


def kept_frame(name: str) -> KeptFrame | None:
    """The picture that is called so; None for what else may lie there."""
    stem, ending = os.path.splitext(name)
    time, _, frame = stem.partition("-")
    if ending != ENDING or not (time.isdecimal() and frame.isdecimal()):
        return None
    return KeptFrame(int(frame), int(time) / 1000)


def nearest(frames: list[KeptFrame], time: float) -> KeptFrame | None:
    """The picture whose time is nearest; `frames` are by time."""
    place = bisect.bisect_left(frames, time, key=lambda each: each.time)
    around = frames[max(0, place - 1) : place + 1]
    return min(around, key=lambda each: abs(each.time - time), default=None)


class FrameKeeper:
    """Keeps pictures in `folder`/<the video's number>. Of a video in which nothing was found so far it keeps
    the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._best: dict[int, dict[int, tuple[tuple[int, float], KeptFrame]]] = {}

    def offer(self, video: int, kept: KeptFrame, jpeg: bytes, faces: int, confidence: float) -> None:
        """Keep it if it is better than what is kept of its second. Raises OSError."""
        seconds = self._best.get(video)
        if seconds is None:
            seconds = self._best[video] = self._found(video)
        second, rank = int(kept.time), (faces, confidence)
        before = seconds.get(second)
        if (not faces and seconds) or (before is not None and before[0] >= rank):
            return
        own = self._folder / str(video)
        own.mkdir(parents=True, exist_ok=True)
        fresh = own / ".new"
        fresh.write_bytes(jpeg)
        fresh.replace(own / kept.name)
        seconds[second] = rank, kept
        if before is not None and before[1] != kept:
            (own / before[1].name).unlink(missing_ok=True)

    def _found(self, video: int) -> dict[int, tuple[tuple[int, float], KeptFrame]]:
        """What an earlier run has kept: it stays."""
        try:
            names = os.listdir(self._folder / str(video))
        except FileNotFoundError:
            return {}
        there = [kept for name in names if (kept := kept_frame(name)) is not None]
        return {int(kept.time): ((1 << 30, 1.0), kept) for kept in there}
