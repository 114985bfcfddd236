"""Presence: from results with detections to stretches of time, whatever their order. Pure.

A stretch is what lies between results of a camera that are at most `gap` seconds apart. Adding results in any order,
in any batches, by any number of gateways leads to the same stretches: each addition is a union of intervals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

FACE_WORTH = 1_000
"""One more face makes a picture better than any confidence does."""
CLEARER = 10
"""Hundredths of confidence by which a picture with as many faces is worth being taken instead."""
MOTION_QUALITY = 1
"""Of a picture that shows motion and no face: any with a face is better."""
CROWDED = 32
"""Events with so many faces or more are searched together."""
SPAN_SECONDS = (60.0, 240.0, 960.0, 3_840.0, 15_360.0, 61_440.0, 245_760.0)
"""Upper bounds of the classes of length; longer ones are in the last class, SPANS - 1."""
SPANS = len(SPAN_SECONDS) + 1


@dataclass(frozen=True, slots=True)
class Sighting:
    """A result with detections. `when` in Unix seconds, `confidence` its best."""

    camera_id: str
    when: float
    faces: int
    confidence: float
    model: str
    frame_id: str = ""

    @property
    def quality(self) -> int:
        """How good a picture its frame is."""
        return quality(self.faces, certainty(self.confidence))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which somebody was there.

    `certainty` is the best confidence in whole hundredths, `model` the one that gave it.

    `event_id` is None for one that is not stored yet; `thumbnail` is the `quality` of its picture. `best` is the
    quality and the frame_id of the best frame that was just added: no stored one has it.
    """

    started: float
    ended: float
    frames: int
    faces: int
    certainty: int
    model: str
    event_id: int | None = None
    thumbnail: int | None = None
    best: tuple[int, str] | None = None

    @property
    def crowd(self) -> int:
        """The class of `faces`; that of one face for an event of motion alone, which has none."""
        return max(1, min(self.faces, CROWDED))

    @property
    def span(self) -> int:
        """The class of the length."""
        length = self.ended - self.started
        return next((n for n, bound in enumerate(SPAN_SECONDS) if length <= bound), SPANS - 1)

    @property
    def better(self) -> str | None:
        """The frame whose picture is worth taking: the first one, or one that is clearly better; None if there is
        none."""
        if self.best is None or self.best[0] < (self.thumbnail or 0) + CLEARER:
            return None
        return self.best[1]


@dataclass(slots=True)
class EventChanges:
    """What becomes of a camera's events: new ones, changed ones, and which of them swallowed which."""

    new: list[Stretch] = field(default_factory=list)
    changed: list[Stretch] = field(default_factory=list)
    swallowed: dict[int, list[Stretch]] = field(default_factory=dict)
    """By the event that stays."""


def stretches(seen: Iterable[Sighting], gap: float) -> dict[str, list[Stretch]]:
    """The stretches of each camera, by time."""
    by_camera: defaultdict[str, list[Stretch]] = defaultdict(list)
    for one in seen:
        by_camera[one.camera_id].append(
            Stretch(
                one.when,
                one.when,
                1,
                one.faces,
                certainty(one.confidence),
                one.model,
                best=(one.quality, one.frame_id),
            )
        )
    return {camera_id: [union(run) for run in runs(each, gap)] for camera_id, each in by_camera.items()}


def merge(events: Sequence[Stretch], additions: Iterable[Stretch], gap: float) -> EventChanges:
    """What `additions` do to a camera's stored `events`, of which all within `gap` of them must be given."""
    changes = EventChanges()
    for run in runs([*events, *additions], gap):
        stored = [stretch for stretch in run if stretch.event_id is not None]
        if len(stored) == len(run):
            continue  # nothing was added here
        if not stored:
            changes.new.append(union(run))
            continue
        # Ids are what cursors and links hold on to.
        kept = min(stored, key=lambda stretch: stretch.event_id or 0)
        changes.changed.append(replace(union(run), event_id=kept.event_id))
        if others := [stretch for stretch in stored if stretch is not kept]:
            changes.swallowed[kept.event_id or 0] = others
    return changes


def runs(given: Iterable[Stretch], gap: float) -> list[list[Stretch]]:
    """Stretches that belong together, by time."""
    found: list[list[Stretch]] = []
    end = float("-inf")
    for stretch in sorted(given, key=lambda stretch: stretch.started):
        if stretch.started - end > gap:
            found.append([])
        found[-1].append(stretch)
        end = max(end, stretch.ended)
    return found


def union(run: Sequence[Stretch]) -> Stretch:
    """One stretch of several."""
    best = max(run, key=lambda stretch: stretch.certainty)
    pictures = [stretch.thumbnail for stretch in run if stretch.thumbnail is not None]
    return Stretch(
        started=min(stretch.started for stretch in run),
        ended=max(stretch.ended for stretch in run),
        frames=sum(stretch.frames for stretch in run),
        faces=max(stretch.faces for stretch in run),
        certainty=best.certainty,
        model=best.model,
        thumbnail=max(pictures, default=None),
        best=max((stretch.best for stretch in run if stretch.best is not None), default=None),
    )


def certainty(confidence: float) -> int:
    """A confidence of 0–1 in whole hundredths, rounded down."""
    # 0.29 * 100 is 28.999…
    return max(0, min(100, int(confidence * 100 + 1e-9))) if confidence == confidence else 0


def quality(faces: int, hundredths: int) -> int:
    """How good a picture is that shows so many faces, the surest of them with that certainty. 0 without a face."""
    return FACE_WORTH * faces + hundredths


def bounds(each: Mapping[str, Sequence[Stretch]], gap: float) -> list[tuple[str, float, float]]:
    """Return for each camera the span in which stored events may belong to these stretches."""
    return [
        (
            camera_id,
            min(stretch.started for stretch in found) - gap,
            max(stretch.ended for stretch in found) + gap,
        )
        for camera_id, found in each.items()
    ]
