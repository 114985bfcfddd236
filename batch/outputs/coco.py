"""COCO's JSON of object detection: images, annotations, categories. Inputs that failed are images without a size.

A video is an entry of `videos`, and each of its frames that was analysed an image, named by the video's path and a
media fragment (https://www.w3.org/TR/media-frags/), with `video_id`, `frame_id` and `time`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from batch.inputs.kinds import VIDEO
from batch.job import Job
from batch.outputs.videos import scaled
from batch.store import Row, State


def write_coco(job: Job, file: Path) -> None:
    """Write one file, a piece after the other. Raises OSError."""
    categories: dict[str, int] = {}
    with file.open("w", encoding="utf-8") as out:
        out.write('{"info":{"description":"framefleet"},"images":')
        _write(out, _images(job))
        out.write(',"videos":')
        _write(out, ({"id": row.number, "name": _name(row)} for row in job.store.rows() if row.kind == VIDEO))
        out.write(',"annotations":')
        _write(out, _annotations(job, categories))
        out.write(',"categories":')
        _write(out, ({"id": number, "name": label} for label, number in categories.items()))
        out.write("}\n")


def _images(job: Job) -> Iterator[dict[str, Any]]:
    for row in job.store.rows():
        image = {"id": row.number, "file_name": _name(row), "width": row.width, "height": row.height}
        if row.state is State.FAILED:
            yield {**image, "status": "failed", "reason": row.reason}
        elif row.kind != VIDEO:
            yield image
        if row.kind == VIDEO:
            for sample in job.store.videos.samples(row.number):
                if sample.ok:
                    yield {
                        "id": sample.number,
                        "file_name": f"{_name(row)}#t={sample.time:.3f}",
                        "width": sample.own_width,
                        "height": sample.own_height,
                        "video_id": row.number,
                        "frame_id": sample.frame,
                        "time": round(sample.time, 3),
                    }


def _found(job: Job) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every detection with the number of its image."""
    for row in job.store.rows():
        if row.kind == VIDEO:
            for sample in job.store.videos.samples(row.number):
                for found in scaled(sample):
                    yield sample.number, found
        else:
            for found in json.loads(row.detections):
                yield row.number, found


def _annotations(job: Job, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    for number, (image, found) in enumerate(_found(job), 1):
        label = str(found["label"])
        yield {
            "id": number,
            "image_id": image,
            "category_id": categories.setdefault(label, len(categories) + 1),
            "bbox": [found["x"], found["y"], found["w"], found["h"]],
            "area": found["w"] * found["h"],
            "score": found["confidence"],
            "iscrowd": 0,
        }


def _name(row: Row) -> str:
    return row.path.decode("utf-8", "replace")


def _write(out: TextIO, entries: Iterator[dict[str, Any]]) -> None:
    out.write("[")
    for number, entry in enumerate(entries):
        out.write(",\n" if number else "")
        json.dump(entry, out, ensure_ascii=False, separators=(",", ":"))
    out.write("]")
