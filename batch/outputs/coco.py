"""COCO's JSON of object detection: images, annotations, categories. Inputs that failed are images without a size."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from batch.job import Job
from batch.store import State


def write_coco(job: Job, file: Path) -> None:
    """Write one file, a piece after the other. Raises OSError."""
    categories: dict[str, int] = {}
    with file.open("w", encoding="utf-8") as out:
        out.write('{"info":{"description":"framefleet"},"images":')
        _write(out, _images(job))
        out.write(',"annotations":')
        _write(out, _annotations(job, categories))
        out.write(',"categories":')
        _write(out, ({"id": number, "name": label} for label, number in categories.items()))
        out.write("}\n")


def _images(job: Job) -> Iterator[dict[str, Any]]:
    for row in job.store.rows():
        image = {
            "id": row.number,
            "file_name": row.path.decode("utf-8", "replace"),
            "width": row.width,
            "height": row.height,
        }
        yield image if row.state is State.OK else {**image, "status": "failed", "reason": row.reason}


def _annotations(job: Job, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    number = 0
    for row in job.store.rows():
        for found in json.loads(row.detections):
            number += 1
            label = str(found["label"])
            yield {
                "id": number,
                "image_id": row.number,
                "category_id": categories.setdefault(label, len(categories) + 1),
                "bbox": [found["x"], found["y"], found["w"], found["h"]],
                "area": found["w"] * found["h"],
                "score": found["confidence"],
                "iscrowd": 0,
            }


def _write(out: TextIO, entries: Iterator[dict[str, Any]]) -> None:
    out.write("[")
    for number, entry in enumerate(entries):
        out.write(",\n" if number else "")
        json.dump(entry, out, ensure_ascii=False, separators=(",", ":"))
    out.write("]")
