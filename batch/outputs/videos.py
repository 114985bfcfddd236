"""What outputs say of a video: which detections hold from when to when, who was there, what could not be computed.

Boxes are told in pixels of the video's own pictures, whatever size was analysed.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from batch.store import Store
from batch.video.timeline import Faces, Presence, presences
from batch.video_books import SampleRow

MOST_FAILED = 1000
"""Failed samples that are listed for a video."""


def scaled(sample: SampleRow) -> list[dict[str, Any]]:
    """A sample's detections in pixels of the video's picture."""
    found: list[dict[str, Any]] = json.loads(sample.detections)
    if not sample.width or not sample.height:
        return found
    across, down = sample.own_width / sample.width, sample.own_height / sample.height
    if across == down == 1:
        return found
    for one in found:
        right, bottom = round((one["x"] + one["w"]) * across), round((one["y"] + one["h"]) * down)
        one["x"], one["y"] = round(one["x"] * across), round(one["y"] * down)
        one["w"], one["h"] = right - one["x"], bottom - one["y"]
        if "landmarks" in one:
            one["landmarks"] = [[round(x * across), round(y * down)] for x, y in one["landmarks"]]
    return found


def placed(store: Store, video: int) -> Iterator[dict[str, Any]]:
    """Each detection with the seconds from which it holds (`time`) and to which (`until`), and the frame that was
    analysed. A picture that was not analysed has the detections of the one that shows the same.
    """
    for held in store.videos.held(video):
        sample = store.videos.sample(video, held.sample)
        if sample is None or not sample.ok:
            continue
        for found in scaled(sample):
            yield {
                **found,
                "time": round(held.started, 3),
                "until": round(held.ended, 3),
                "frame": held.sample,
            }


def present(store: Store, video: int) -> Iterator[Presence]:
    """The stretches in which anything was found."""

    def found(frame: int) -> Faces | None:
        sample = store.videos.sample(video, frame)
        boxes = [] if sample is None else json.loads(sample.detections)
        return Faces(len(boxes), max((box["confidence"] for box in boxes), default=0.0))

    return presences(store.videos.held(video), found)


def presence_fields(presence: Presence) -> dict[str, Any]:
    """A presence for JSON: seconds of the video, how many at once at most, and the frame that shows them best."""
    return {
        "time": round(presence.started, 3),
        "until": round(presence.ended, 3),
        "count": presence.faces,
        "confidence": round(presence.confidence, 4),
        "frame": presence.sample,
    }


def about(store: Store, video: int) -> dict[str, Any]:
    """All that is said of a video but its detections."""
    width = height = failed = analysed = 0
    model, processing = "", 0.0
    failures: list[dict[str, Any]] = []
    for sample in store.videos.samples(video):
        if sample.ok:
            analysed += 1
            width, height = width or sample.own_width, height or sample.own_height
            model = model or sample.model
            processing += sample.processing or 0.0
        else:
            failed += 1
            if failed <= MOST_FAILED:
                failures.append(
                    {"frame": sample.frame, "time": round(sample.time, 3), "reason": sample.reason}
                )
    report = store.videos.report(video)
    frames = {} if report is None else msgspec.to_builtins(report)
    windows = frames.pop("windows", [])
    for each in windows:
        each["time"], each["until"] = round(each.pop("started"), 3), round(each.pop("ended"), 3)
    seconds = frames.pop("seconds", None)
    return {
        "width": width,
        "height": height,
        "model": model,
        "processing_seconds": processing,
        "seconds": None if seconds is None else round(seconds, 3),
        "frames": {
            **frames,
            "computed": analysed,
            "failed": failed,
        },
        "cut_off": report is not None and report.cut_off,
        "skipped_share": None if report is None else round(report.skipped_share, 4),
        "windows": windows,
        "presences": [presence_fields(each) for each in present(store, video)],
        "failed_frames": failures,
    }
