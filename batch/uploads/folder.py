"""The folder of a job whose inputs are uploads, and what of it goes into the store of objects when the job ends."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batch.errors import BatchError
from batch.inputs.kinds import VIDEO
from batch.job import BOOKS, LOCK, Job, JobRequest, locked
from batch.objects.store import ObjectStore, of_job
from batch.outputs.lines import write_ndjson
from batch.store import Store
from batch.video.settings import VideoSettings

INPUTS = "in"
FRAMES = "frames"
RESULTS = "results.ndjson"
ORIGINALS = "originals"
LOCK_SECONDS = 10.0
"""So long is waited for the process of before, whose gateway was killed: it ends when it notices."""


def original(job_id: str, number: int) -> str:
    """The name of an input in the store of objects."""
    return f"{of_job(job_id)}{ORIGINALS}/{number}"


def frames_of(job_id: str, number: int) -> str:
    """What the names of a video's pictures begin with in the store of objects."""
    return f"{of_job(job_id)}{FRAMES}/{number}/"


@contextmanager
def uploaded_job(folder: Path, job_id: str, video: VideoSettings) -> Iterator[Job]:
    """Open the job in that folder; made where there is none. Raises BatchError."""
    inputs = folder / INPUTS
    try:
        inputs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _patiently_locked(folder / LOCK, job_id):
            store = Store(folder / BOOKS)
            try:
                store.prepare()
                yield Job(job_id, JobRequest((), os.fsencode(inputs), None, video), folder, store)
            finally:
                store.close()
    except OSError as error:
        raise BatchError(f"{error.filename or folder}: {error.strerror}") from error


def put_away(job: Job, objects: ObjectStore, *, keep_videos: bool) -> None:
    """Give what is kept of an ended job to the store of objects, and delete the rest but the books.

    Done twice, the second time does what the first left. Raises ObjectsUnavailable, OSError.
    """
    inputs, frames, results = job.folder / INPUTS, job.folder / FRAMES, job.folder / RESULTS
    for row in job.store.rows():
        file = inputs / os.fsdecode(row.path)
        if file.exists() and (keep_videos or row.kind != VIDEO):
            objects.put(original(job.job_id, row.number), file)
    for file in sorted(frames.glob("*/*")):
        objects.put(f"{of_job(job.job_id)}{FRAMES}/{file.parent.name}/{file.name}", file)
    write_ndjson(job, results)
    objects.put(f"{of_job(job.job_id)}{RESULTS}", results)
    shutil.rmtree(inputs, ignore_errors=True)
    shutil.rmtree(frames, ignore_errors=True)


@contextmanager
def _patiently_locked(file: Path, job_id: str) -> Iterator[None]:
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            lock = locked(file, job_id)
            lock.__enter__()
            break
        except BatchError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
