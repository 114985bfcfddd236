"""YOLO's folder: `labels/` with a text file for each picture, as the pictures lie, `classes.txt`, `failed.txt`."""

import json
import os
from pathlib import Path
from typing import Any

from batch import names
from batch.job import Job
from batch.store import Row, State


def write_yolo(job: Job, folder: Path) -> None:
    """Write a line per detection: class, middle, width and height as shares of the picture, confidence."""
    classes: dict[str, int] = {}
    with (folder / "failed.txt").open("w", encoding="utf-8") as failed:
        for row in job.store.rows():
            if row.state is State.FAILED:
                failed.write(f"{names.shown(row.path)}\t{row.reason}\n")
                continue
            file = folder / "labels" / place(row, job, ".txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(_line(found, row, classes) for found in json.loads(row.detections)))
    (folder / "classes.txt").write_text("".join(f"{label}\n" for label in classes))


def place(row: Row, job: Job, ending: str) -> Path:
    """Where a picture's output is, below a folder: as the picture lies below its job's own."""
    inside = names.relative(os.path.join(job.wish.base, row.path), job.root)
    return Path(os.fsdecode(os.path.splitext(inside)[0] + ending.encode()))


def _line(found: dict[str, Any], row: Row, classes: dict[str, int]) -> str:
    number = classes.setdefault(str(found["label"]), len(classes))
    width, height = max(1, row.width), max(1, row.height)
    middle = (found["x"] + found["w"] / 2) / width, (found["y"] + found["h"] / 2) / height
    size = found["w"] / width, found["h"] / height
    figures = " ".join(f"{share:.6f}" for share in (*middle, *size, found["confidence"]))
    return f"{number} {figures}\n"
