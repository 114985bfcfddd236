"""How well a worker has found the known faces. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.result import DetectedObject
from gateway.canary.pictures import KnownFace

LEAST_OVERLAP = 0.3
"""Intersection over union from which a box is a face's: detectors differ in where a face ends."""


@dataclass(frozen=True, slots=True)
class FaceScore:
    """How many of the `known` faces were found; `box_error` is 1 - mean overlap of those, None where there are none."""

    found: int
    known: int
    box_error: float | None

    @property
    def recall(self) -> float:
        """The part of the known faces that was found, 0 to 1."""
        return self.found / self.known

    @property
    def complete(self) -> bool:
        """Every known face was found."""
        return self.found == self.known


def judge(faces: Sequence[KnownFace], detections: Sequence[DetectedObject]) -> FaceScore:
    """Judge the detections in a picture with these faces. Each box finds one face at most, the best pairs first."""
    pairs = sorted(
        (
            (overlap, number, which)
            for number, face in enumerate(faces)
            for which, box in enumerate(detections)
            if (overlap := _overlap(face, box)) >= LEAST_OVERLAP
        ),
        reverse=True,
    )
    overlaps: dict[int, float] = {}
    used: set[int] = set()
    for overlap, number, which in pairs:
        if number not in overlaps and which not in used:
            overlaps[number] = overlap
            used.add(which)
    error = 1 - sum(overlaps.values()) / len(overlaps) if overlaps else None
    return FaceScore(len(overlaps), len(faces), error)


def _overlap(face: KnownFace, box: DetectedObject) -> float:
    """Intersection over union; 0 for a box without an inside."""
    if box.w <= 0 or box.h <= 0:
        return 0.0
    width = min(face.x + face.w, box.x + box.w) - max(face.x, box.x)
    height = min(face.y + face.h, box.y + box.h) - max(face.y, box.y)
    inside = max(0.0, width) * max(0.0, height)
    return inside / (face.w * face.h + box.w * box.h - inside)
