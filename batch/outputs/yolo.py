"""YOLO's folder: `labels/` with a text file for each picture, as the pictures lie, `classes.txt`, `failed.txt`.

A video has a folder, with a file for each of its frames that was analysed.
"""

import json
import os
from pathlib import Path
from typing import Any

from batch import names
from batch.inputs.kinds import VIDEO
from batch.job import Job
from batch.store import Row, State


def write_yolo(job: Job, folder: Path) -> None:
    """Write a line per detection: class, middle, width and height as shares of the picture, confidence."""
    classes: dict[str, int] = {}
    with (folder / "failed.txt").open("w", encoding="utf-8") as failed:
        for row in job.store.rows():
            if row.state is State.FAILED:
                failed.write(f"{names.shown(row.path)}\t{row.reason}\n")
            if row.kind == VIDEO:
                _write_frames(job, row, folder, classes)
            elif row.state is State.OK:
                _write(
                    folder / "labels" / place(row, job, ".txt"),
                    row.detections,
                    (row.width, row.height),
                    classes,
                )
    (folder / "classes.txt").write_text("".join(f"{label}\n" for label in classes))


def place(row: Row, job: Job, ending: str) -> Path:
    """Where a picture's output is, below a folder: as the picture lies below its job's own."""
    inside = names.relative(os.path.join(job.wish.base, row.path), job.root)
    return Path(os.fsdecode(os.path.splitext(inside)[0] + ending.encode()))


def frame_place(row: Row, job: Job, frame: int, ending: str) -> Path:
    """Where the output of a video's frame is: in a folder that is called like the video."""
    inside = names.relative(os.path.join(job.wish.base, row.path), job.root)
    return Path(os.fsdecode(inside)) / f"{frame:08}{ending}"


def _write_frames(job: Job, row: Row, folder: Path, classes: dict[str, int]) -> None:
    for sample in job.store.videos.samples(row.number):
        if sample.ok:
            file = folder / "labels" / frame_place(row, job, sample.frame, ".txt")
            _write(file, sample.detections, (sample.width, sample.height), classes)


def _write(file: Path, detections: str, size: tuple[int, int], classes: dict[str, int]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(_line(found, size, classes) for found in json.loads(detections)))


def _line(found: dict[str, Any], size: tuple[int, int], classes: dict[str, int]) -> str:
    number = classes.setdefault(str(found["label"]), len(classes))
    width, height = max(1, size[0]), max(1, size[1])
    middle = (found["x"] + found["w"] / 2) / width, (found["y"] + found["h"] / 2) / height
    share = found["w"] / width, found["h"] / height
    figures = " ".join(f"{each:.6f}" for each in (*middle, *share, found["confidence"]))
    return f"{number} {figures}\n"
