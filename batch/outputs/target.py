"""Which outputs there are, and which one a path means by its ending."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batch.errors import BatchError, Misuse
from batch.job import Job
from batch.outputs import annotated, coco, lines, yolo


class Format(StrEnum):
    """A form of results."""

    NDJSON = "ndjson"
    CSV = "csv"
    COCO = "coco"
    YOLO = "yolo"
    ANNOTATED = "annotated"


ENDINGS = {".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON, ".csv": Format.CSV, ".json": Format.COCO}
FOLDERS = frozenset({Format.YOLO, Format.ANNOTATED})
WRITERS: dict[Format, Callable[[Job, Path], None]] = {
    Format.NDJSON: lines.write_ndjson,
    Format.CSV: lines.write_csv,
    Format.COCO: coco.write_coco,
    Format.YOLO: yolo.write_yolo,
    Format.ANNOTATED: annotated.write_annotated,
}


@dataclass(frozen=True)
class Target:
    """Where results go, and in which form."""

    path: Path
    format: Format

    def check(self) -> None:
        """See, before anything is computed, that the results could be written. Raises Misuse."""
        folder = self.path if self.format in FOLDERS else self.path.parent
        try:
            if self.format in FOLDERS:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misuse(f"{folder}: {error.strerror}") from None
        if not folder.is_dir():
            raise Misuse(f"{folder}: there is no such folder")
        if not os.access(folder, os.W_OK):
            raise Misuse(f"{folder}: this user may not write there")
        if self.format not in FOLDERS and self.path.is_dir():
            raise Misuse(f"{self.path} is a folder: {self.format.value} is one file")
        if self.format is Format.ANNOTATED:
            annotated.check()

    def write(self, job: Job) -> None:
        """Write what is settled so far. Raises BatchError."""
        try:
            if self.format in FOLDERS:
                WRITERS[self.format](job, self.path)
                return
            fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
            try:
                WRITERS[self.format](job, fresh)
                fresh.replace(self.path)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise BatchError(
                f"{self.path} could not be written: {error.strerror}. Nothing is lost: `framefleet batch --job "
                f"{job.job_id} --output …` writes it again"
            ) from error


def target(path: str, form: str | None) -> Target:
    """The output at `path`, in the form asked for or that of its ending. Raises Misuse."""
    if form is not None:
        return Target(Path(path), Format(form))
    found = ENDINGS.get(Path(path).suffix.lower())
    if found is None:
        raise Misuse(
            f"--output {path}: by its ending a file is .ndjson, .csv or .json (COCO); --format says another form: "
            f"{', '.join(Format)}"
        )
    return Target(Path(path), found)
