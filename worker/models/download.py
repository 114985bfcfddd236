"""A model's file over HTTPS: bounded in size and time, and kept only if its digest is right.

urllib is enough for a few files with a pinned digest, and it follows the proxies of the environment; a worker needs no
HTTP client else.
"""

import glob
import hashlib
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from worker.errors import DownloadFailed
from worker.models.entries import ModelEntry

Progress = Callable[[int, int | None], None]
"""Told the bytes so far and the bytes in all, None where those are not known."""

SILENCE_SECONDS = 10.0
"""A server may be silent for so long."""
LEAST_RATE = 10_000
"""The least bytes per second, on the whole: a server that only drips must not keep a worker from its fallback."""
MAX_BYTES = 512 * 1024**2
"""The most that is fetched of a file whose entry states no size."""
CHUNK = 256 * 1024
LEFTOVER_SECONDS = 24 * 3600.0
"""An unfinished file this old is not being written any more: its process was killed."""


def download(
    entry: ModelEntry,
    cache: Path,
    report: Callable[[str], None],
    progress: Progress | None = None,
    *,
    silence: float = SILENCE_SECONDS,
    least_rate: float = LEAST_RATE,
) -> Path:
    """Fetch the file into `cache` from the first of its addresses that has the right one; returns its path.

    It appears there at once, whole and with the right digest, or not at all: several processes may do this at the
    same time. Raises DownloadFailed.
    """
    if entry.filename is None or entry.sha256 is None:
        raise ValueError(f"the model {entry.name} has no file with a known digest")
    target = cache / entry.filename
    reasons = []
    for url in entry.urls:
        where = urlsplit(url).hostname or url
        report(f"downloading {entry.name}{_of(entry.size)} from {where}")
        try:
            with _beside(target) as file:
                _receive(entry, url, file, progress or (lambda _done, _total: None), silence, least_rate)
        except _CacheUnusable as error:
            raise DownloadFailed(f"{target.parent} cannot be written: {error}") from None
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"{where}: {_reason(error)}")
        else:
            return target
    raise DownloadFailed("; ".join(reasons))


def _receive(
    entry: ModelEntry, url: str, file: IO[bytes], progress: Progress, silence: float, least_rate: float
) -> None:
    """Copy what `url` has into `file`. Raises OSError or HTTPException (network), ValueError (the wrong file)."""
    request = urllib.request.Request(url, headers={"User-Agent": "framefleet"})  # noqa: S310 - the digest is pinned
    begun = time.monotonic()
    with urllib.request.urlopen(request, timeout=silence) as answer:  # noqa: S310
        stated = answer.headers.get("Content-Length", "")
        expected = int(stated) if stated.isdecimal() else None
        limit = entry.size or MAX_BYTES
        if expected is not None and expected > limit:
            raise ValueError(f"{expected:,} bytes, more than the {limit:,} expected")
        total = entry.size or expected
        done, hashed = 0, hashlib.sha256()
        progress(done, total)
        while chunk := answer.read1(CHUNK):  # at most one read of the socket, so that the clock is looked at
            done += len(chunk)
            if done > limit:
                raise ValueError(f"more than the {limit:,} bytes expected")
            if (seconds := time.monotonic() - begun) > silence + done / least_rate:
                raise ValueError(f"too slow: {done:,} bytes in {seconds:.0f} s")
            hashed.update(chunk)
            file.write(chunk)
            progress(done, total)
    if total is not None and done < total:
        raise ValueError(f"ended after {done:,} of {total:,} bytes")
    if hashed.hexdigest() != entry.sha256:
        raise ValueError(f"{done:,} bytes with another SHA-256 than expected ({hashed.hexdigest()[:8]})")


class _CacheUnusable(Exception):
    """There is no place for the file."""


@contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    """A file that becomes `target` when the block ends well, and vanishes when it does not."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise _CacheUnusable(error.strerror) from None
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        unfinished.chmod(0o644)  # a cache may be shared by users, and an image is built by another one
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(FileNotFoundError):  # finished just now, or swept by another process
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink()


def _reason(error: BaseException) -> str:
    if isinstance(error, HTTPError):
        return f"{error.code} {error.reason}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return str(getattr(cause, "strerror", None) or cause) or type(cause).__name__


def _of(size: int | None) -> str:
    return "" if size is None else f" ({size / 1000:,.0f} kB)"
