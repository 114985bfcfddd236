"""NDJSON and CSV: a line for each input."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batch import names
from batch.inputs.kinds import VIDEO
from batch.job import Job
from batch.outputs.videos import about, placed, presence_fields, present
from batch.store import Row, State, Store
from batch.tasks import DOLLAR
from runtime.cells import cell

COLUMNS = ("path", "status", "reason", "count", "detections", "width", "height", "model", "seconds")


def write_ndjson(job: Job, file: Path) -> None:
    """Write a JSON object for each input. Raises OSError."""
    with file.open("w", encoding="utf-8") as out:
        for line in ndjson(job.store):
            out.writelines(line)
            out.write("\n")


def ndjson(store: Store) -> Iterator[Iterator[str]]:
    """A line for each input, each in pieces: that of a long video is long."""
    for row in store.rows():
        yield _video(store, row) if row.kind == VIDEO else iter((_json(_picture(row)),))


def _picture(row: Row) -> dict[str, Any]:
    """A picture's line: what was found, or why nothing was."""
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
        "cached": bool(row.cached),
        **({} if row.description is None else {"description": row.description}),
        **({} if row.cost is None else {"cost": row.cost / DOLLAR}),
    }


def _video(store: Store, row: Row) -> Iterator[str]:
    """A video's line; one that failed tells what was found until then."""
    status = {"status": "ok", "kind": VIDEO, "reason": None}
    if row.state is State.FAILED:
        status = {"status": "failed", "kind": VIDEO, "reason": row.reason, "error": row.error}
    yield _json({**names.fields(row.path), **status, **about(store, row.number)})[:-1]
    yield ',"detections":['
    for number, found in enumerate(placed(store, row.number)):
        yield ("," if number else "") + _json(found)
    yield "]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_csv(job: Job, file: Path) -> None:
    """Write a row for each input; the detections are JSON in one column, of a video its presences. Raises OSError."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for row in job.store.rows():
            if row.kind == VIDEO:
                found: list[Any] = [presence_fields(each) for each in present(job.store, row.number)]
                said = about(job.store, row.number)
                figures = said["width"], said["height"], said["model"], said["processing_seconds"]
            else:
                found = json.loads(row.detections)
                seconds = "" if row.processing is None else row.processing
                figures = row.width, row.height, row.model, seconds
            path = cell(row.path.decode("utf-8", "replace"))
            writer.writerow((path, row.state, row.reason or "", len(found), _json(found), *figures))
