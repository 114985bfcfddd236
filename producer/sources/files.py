"""Tells what is at the path of a source, where it is not a file."""

import stat
from pathlib import Path

from producer.errors import SourceError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def no_file(path: Path, shown: str) -> SourceError | None:
    """What is wrong with a path that should lead to a file; None if it does. `shown` is how messages call it."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return SourceError("missing", f"{shown} does not exist: check its path")
    except OSError as error:
        return SourceError("io_error", f"{shown} cannot be read: {error.strerror}")
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), None)
    if kind is None:
        return None
    return SourceError(
        "no_file", f"{shown} is {kind}, not a file: give a video file, a folder of images or an address"
    )
