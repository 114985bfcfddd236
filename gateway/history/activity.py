"""How busy each minute of each camera was. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from contract.result import Result

MINUTE = 60
ALL = ""
"""In place of a camera_id: all cameras together, so that a week of a thousand cameras is not added up for each look."""


@dataclass(slots=True)
class Minute:
    """Sums over one minute; `faces` is the most at once, `latency` seconds from capture to result."""

    frames: int = 0
    with_detections: int = 0
    faces: int = 0
    expired: int = 0
    latency: float = 0.0


def minutes(
    results: Iterable[tuple[float, Result]], unlisted: Collection[str] = ()
) -> dict[tuple[int, str], Minute]:
    """Sum results up by the minute's begin and camera, in this order; each comes with its moment in Unix seconds.

    `unlisted` cameras count in the sum of all, and have no minutes of their own.
    """
    found: defaultdict[tuple[int, str], Minute] = defaultdict(Minute)
    for when, result in results:
        begin = int(when // MINUTE) * MINUTE
        for camera_id in (ALL,) if result.camera_id in unlisted else (ALL, result.camera_id):
            minute = found[begin, camera_id]
            if result.status == "expired":
                minute.expired += 1
                continue
            minute.frames += 1
            minute.with_detections += bool(result.detections)
            minute.faces = max(minute.faces, len(result.detections))
            # By the worker's word, which knows the clock that wrote the capture time.
            minute.latency += max(0.0, result.queue_seconds + result.processing_seconds)
    return dict(sorted(found.items()))
