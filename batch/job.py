"""A job's folder: its books, its list and its lock. The same inputs are the same job, so that running again goes on."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from batch.errors import BatchError, Misuse
from batch.inputs.given import nothing_there
from batch.inputs.listed import read_list, spool
from batch.store import Store
from batch.video.settings import VideoSettings
from contract.jobs import JOB_ID, MAX_JOB_ID

BOOKS = "items.sqlite3"
LIST = "list"
LOCK = "lock"
STDIN = b"-"
USUAL = VideoSettings()


@dataclass(frozen=True)
class JobRequest:
    """What somebody wants computed: inputs as given, from the folder `base`; `model` None: the one in use.

    `video` is how videos are looked at.
    """

    inputs: tuple[bytes, ...]
    base: bytes
    model: str | None = None
    video: VideoSettings = USUAL

    @property
    def job_id(self) -> str:
        """The name that a job of this wish has, unless it is given one."""
        said = [os.fsencode(self.model or ""), self.base, *self.inputs]
        if self.video != USUAL:
            said.append(msgspec.json.encode(self.video))
        return hashlib.sha256(b"\0".join(said)).hexdigest()[:12]


@dataclass(frozen=True)
class Job:
    """A job that this process works on: its id, what is wanted, its folder and its books."""

    job_id: str
    wish: JobRequest
    folder: Path
    store: Store

    def inputs(self) -> Iterator[bytes]:
        """The inputs; those of a list from standard input one by one."""
        for each in self.wish.inputs:
            if each.startswith(STDIN + b"\0"):
                yield from read_list(self.folder / LIST)
            else:
                yield each

    @property
    def root(self) -> bytes:
        """The folder that all inputs are in: outputs that are folders have paths from there."""
        parents = [
            path if os.path.isdir(path) else os.path.dirname(path)
            for each in self.wish.inputs
            if not each.startswith(STDIN + b"\0")
            for path in [os.path.abspath(os.path.join(self.wish.base, each))]
        ]
        return os.path.commonpath(parents) if parents else self.wish.base


def jobs_folder() -> Path:
    """Where jobs are kept: the XDG base directory specification's folder for what programs remember."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state") / "framefleet" / "jobs"


@contextmanager
def open_job(
    folder: Path,
    inputs: Sequence[bytes],
    *,
    name: str | None = None,
    model: str | None = None,
    video: VideoSettings = USUAL,
    stdin: BinaryIO | None = None,
    null: bool = False,
    sought: bool = False,
) -> Iterator[Job]:
    """Open the job of these inputs, or the one of that name; made where there is none, but if they are `sought` not for
    inputs of which none exists. Raises BatchError."""
    if name is not None and not JOB_ID.match(name):
        raise Misuse(f"a job's name is letters, digits, _ and -, {MAX_JOB_ID} at most: {name!r} is none")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Misuse(f"{folder}: {error.strerror}. --jobs FOLDER keeps jobs elsewhere") from None
    listed = folder / f"list-{os.getpid()}"
    try:
        wish = _wish(inputs, model, video, stdin, null, listed)
        job_id = name or wish.job_id
        own = folder / job_id
        if not wish.inputs and not (own / BOOKS).exists():
            raise Misuse(f"there is no job {job_id} in {folder}: name what is to be computed")
        if (
            sought
            and not (own / BOOKS).exists()
            and (said := nothing_there(wish.base, wish.inputs)) is not None
        ):
            raise Misuse(said)
        own.mkdir(exist_ok=True, mode=0o700)
        with locked(own / LOCK, job_id):
            store = Store(own / BOOKS)
            try:
                store.prepare()
                kept = _kept(store)
                if kept is None:
                    _keep(store, wish)
                elif wish.inputs and wish != kept:
                    raise Misuse(
                        f"the job {job_id} is of other inputs, another model or other settings for videos: choose "
                        f"another name, or go on with `framefleet batch --job {job_id}`"
                    )
                if listed.exists():
                    listed.replace(own / LIST)
                yield Job(job_id, kept or wish, own, store)
            finally:
                store.close()
    except OSError as error:
        raise BatchError(f"{error.filename or folder}: {error.strerror}") from error
    finally:
        listed.unlink(missing_ok=True)


def delete_job(folder: Path, job_id: str) -> None:
    """Delete a job's folder. Raises BatchError."""
    if not JOB_ID.match(job_id) or not (folder / job_id / BOOKS).exists():
        raise Misuse(f"there is no job {job_id} in {folder}")
    with locked(folder / job_id / LOCK, job_id):
        shutil.rmtree(folder / job_id)


def _wish(
    inputs: Sequence[bytes],
    model: str | None,
    video: VideoSettings,
    stdin: BinaryIO | None,
    null: bool,
    listed: Path,
) -> JobRequest:
    if STDIN in inputs:
        if stdin is None:
            raise Misuse("there is no list on standard input")
        digest = spool(stdin, listed, null=null)
        inputs = [STDIN + b"\0" + digest.encode() if each == STDIN else each for each in inputs]
    return JobRequest(tuple(inputs), os.fsencode(os.getcwd()), model, video)


def _kept(store: Store) -> JobRequest | None:
    said = store.meta("wish")
    if said is None:
        return None
    kept = json.loads(said)
    video = msgspec.convert(kept.get("video", {}), VideoSettings)
    return JobRequest(
        tuple(map(os.fsencode, kept["inputs"])), os.fsencode(kept["base"]), kept["model"], video
    )


def _keep(store: Store, wish: JobRequest) -> None:
    inputs = [os.fsdecode(each) for each in wish.inputs]
    said = {"inputs": inputs, "base": os.fsdecode(wish.base), "model": wish.model}
    store.note("wish", json.dumps({**said, "video": msgspec.to_builtins(wish.video)}))
    store.note("made", repr(time.time()))


@contextmanager
def locked(file: Path, job_id: str) -> Iterator[None]:
    """Keep other processes away from a job during the block. Raises BatchError if one works on it."""
    with file.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BatchError(f"another process works on the job {job_id}: wait for it, or end it") from None
        yield
