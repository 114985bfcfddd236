"""Faces on a timeline: from samples and their results to the stretches of time in which somebody is seen. Pure.

The idea is that of the history's presence: what is no farther apart than the gap belongs together. There results come
in any order from many cameras; here they come in order, and a result holds for as long as its picture stands.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from msgspec import Struct

GAP_SECONDS = 1.0
"""Two sightings no farther apart are one presence: a face is turned away, or not found, for a moment."""


class Placed(Protocol):
    """What a timeline needs of a sample."""

    @property
    def index(self) -> int: ...
    @property
    def time(self) -> float: ...
    @property
    def reuse_of(self) -> int | None: ...


class HeldResult(Struct, frozen=True):
    """The result of `sample` holds from `started` to `ended`, in seconds of the video."""

    sample: int
    started: float
    ended: float


class Faces(Struct, frozen=True):
    """What was found in a sample: how many faces, and the best confidence, 0-1."""

    count: int
    confidence: float


class Presence(Struct, frozen=True):
    """Somebody is seen from `started` to `ended`, in seconds of the video.

    At most `faces` at once, the surest of them with `confidence`; `sample` shows the most of them, most surely.
    """

    started: float
    ended: float
    faces: int
    confidence: float
    sample: int


def shown(samples: Iterable[Placed]) -> Iterator[HeldResult]:
    """What holds when: neighbours with the same result are one. For hours of a still picture it is one, too."""
    holding = Holding()
    for one in samples:
        if (held := holding.add(one)) is not None:
            yield held
    if (held := holding.rest()) is not None:
        yield held


class Holding:
    """Joins samples as they come."""

    def __init__(self) -> None:
        self._held: HeldResult | None = None

    def add(self, sample: Placed) -> HeldResult | None:
        """Take the next sample; returns what held until then, if this one has another result."""
        source = sample.index if sample.reuse_of is None else sample.reuse_of
        before = self._held
        if before is not None and before.sample == source:
            self._held = HeldResult(source, before.started, sample.time)
            return None
        self._held = HeldResult(source, sample.time, sample.time)
        return before

    def rest(self) -> HeldResult | None:
        """What holds at the end."""
        return self._held


def presences(
    held: Iterable[HeldResult], found: Callable[[int], Faces | None], gap: float = GAP_SECONDS
) -> Iterator[Presence]:
    """The stretches in which faces were found, by time. A sample of which `found` knows nothing shows none."""
    now: Presence | None = None
    for one in held:
        faces = found(one.sample)
        if faces is None or not faces.count:
            continue
        seen = Presence(one.started, one.ended, faces.count, faces.confidence, one.sample)
        if now is None or seen.started - now.ended > gap:
            if now is not None:
                yield now
            now = seen
        else:
            now = _union(now, seen)
    if now is not None:
        yield now


def _union(one: Presence, other: Presence) -> Presence:
    best = max(one, other, key=lambda each: (each.faces, each.confidence))
    return Presence(
        started=min(one.started, other.started),
        ended=max(one.ended, other.ended),
        faces=best.faces,
        confidence=max(one.confidence, other.confidence),
        sample=best.sample,
    )
