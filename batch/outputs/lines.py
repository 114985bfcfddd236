"""NDJSON and CSV: a line for each input."""

import csv
import json
from pathlib import Path
from typing import Any

from batch import names
from batch.job import Job
from batch.store import Row, State
from batch.tasks import DOLLAR

COLUMNS = ("path", "status", "reason", "count", "detections", "width", "height", "model", "seconds")


def write_ndjson(job: Job, file: Path) -> None:
    """Write a JSON object for each input. Raises OSError."""
    with file.open("w", encoding="utf-8") as out:
        for row in job.store.rows():
            out.write(json.dumps(line(row), ensure_ascii=False, separators=(",", ":")) + "\n")


def line(row: Row) -> dict[str, Any]:
    """An input's line: what was found, or why nothing was."""
    named: dict[str, Any] = names.fields(row.path)
    if row.state is State.FAILED:
        return {**named, "status": "failed", "detections": [], "reason": row.reason, "error": row.error}
    return {
        **named,
        "status": "ok",
        "detections": json.loads(row.detections),
        "reason": None,
        "width": row.width,
        "height": row.height,
        "model": row.model,
        "processing_seconds": row.processing,
        **({} if row.description is None else {"description": row.description}),
        **({} if row.cost is None else {"cost": row.cost / DOLLAR}),
    }


def write_csv(job: Job, file: Path) -> None:
    """Write a row for each input; the detections are JSON in one column. Raises OSError."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for row in job.store.rows():
            found = json.loads(row.detections)
            path = row.path.decode("utf-8", "replace")
            told = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
            seconds = "" if row.processing is None else row.processing
            writer.writerow(
                (
                    path,
                    row.state,
                    row.reason or "",
                    len(found),
                    told,
                    row.width,
                    row.height,
                    row.model,
                    seconds,
                )
            )
