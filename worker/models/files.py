"""Finds a model's file: in MODEL_DIR, in the image, in the cache, or fetched into the cache."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from worker.errors import DownloadFailed, ModelUnavailable
from worker.models.download import Progress, download
from worker.models.entries import ModelEntry

Report = Callable[[str], None]

BAKED = Path(__file__).with_name("baked")
"""Files that were put into the image when it was built (deploy/Dockerfile); elsewhere the folder is not there.

Not the cache: a volume is mounted over that, and an old volume would go on hiding what a new image brings.
"""


class FileOrigin(StrEnum):
    """The place in which a file was found."""

    MODEL_DIR = "in MODEL_DIR"
    IMAGE = "in the image"
    CACHE = "cached"


@dataclass(frozen=True)
class Copy:
    """A file that is there under a model's file name; `problem` says why it is not that model, None: it is."""

    place: FileOrigin
    path: Path
    digest: str | None
    problem: str | None


def locate(
    entry: ModelEntry,
    *,
    model_dir: Path | None,
    cache: Path,
    report: Report,
    progress: Progress | None = None,
    baked: Path = BAKED,
) -> Path:
    """The model's file: from `model_dir`, else the image, else the cache, else downloaded into the cache.

    A file with another digest is not used, and that is reported. Raises ModelUnavailable; ValueError for a model
    that has no file.
    """
    if entry.filename is None:
        raise ValueError(f"the model {entry.name} has no file")
    tried = []
    for copy in copies(entry, model_dir=model_dir, cache=cache, baked=baked):
        if copy.problem is None:
            return copy.path
        tried.append(f"{copy.path} {copy.problem}")
        report(f"{entry.name}: {tried[-1]} and is not used")
    if not tried:
        looked = (model_dir, cache) if entry.sha256 else (model_dir,)
        tried.append(f"no {entry.filename} in {' or '.join(str(f) for f in looked if f)}")
    if entry.urls:
        try:
            return download(entry, cache, report, progress)
        except DownloadFailed as error:
            tried.append(str(error))
    digits = f" (SHA-256 {entry.sha256})" if entry.sha256 else ""
    raise ModelUnavailable(
        f"model {entry.name}: {'; '.join(tried)}. Put {Path(entry.filename).name}{digits} into a folder and name it "
        "in MODEL_DIR"
    )


def present(entry: ModelEntry, *, model_dir: Path | None, cache: Path, baked: Path = BAKED) -> Path | None:
    """The model's file if it is here and the right one; nothing is downloaded. None for a model without a file."""
    found = copies(entry, model_dir=model_dir, cache=cache, baked=baked)
    return next((copy.path for copy in found if copy.problem is None), None)


def copies(
    entry: ModelEntry, *, model_dir: Path | None, cache: Path, baked: Path = BAKED
) -> tuple[Copy, ...]:
    """Every file here that bears the model's file name, in the order of preference."""
    if entry.filename is None:
        return ()
    folders = [(FileOrigin.MODEL_DIR, model_dir)]
    if entry.sha256 is not None:  # what only MODEL_DIR vouches for is not looked for elsewhere
        folders += [(FileOrigin.IMAGE, baked), (FileOrigin.CACHE, cache)]
    return tuple(
        _copy(origin, folder / entry.filename, entry.sha256)
        for origin, folder in folders
        if folder is not None and _is_there(folder / entry.filename)
    )


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex; read again only when the file has changed. Raises OSError."""
    at = path.stat()
    return _digest(path, (at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be entered: reading will fail, too, and say so
        return True


def _copy(origin: FileOrigin, path: Path, wanted: str | None) -> Copy:
    try:
        found = digest(path)
    except OSError as error:
        return Copy(origin, path, None, f"cannot be read ({error.strerror})")
    if wanted is None or found == wanted:
        return Copy(origin, path, found, None)
    return Copy(origin, path, found, f"has another SHA-256 than expected ({found[:8]}, not {wanted[:8]})")


@lru_cache(maxsize=128)
def _digest(path: Path, _version: tuple[int, ...]) -> str:
    """Workers say with every heartbeat which models they have: a large file is not read each time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
