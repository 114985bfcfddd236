"""Temporary files of jobs. They have no name from the beginning: whoever is killed leaves nothing behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import Field

from batch import reasons
from batch.errors import Unreadable
from runtime.logs import get_logger
from runtime.settings import EnvironmentSettings

log = get_logger("batch")

LEFT_FREE = 256 << 20
"""Bytes that stay free on the disk of a job."""


class TemporarySettings(EnvironmentSettings):
    """Settings of temporary files (environment variables)."""

    folder: Path | None = Field(
        None,
        validation_alias="BATCH_TEMP_DIR",
        description="where a video of an archive lies while it is read, /dev/shm say, while it takes half of what is "
        "free there at most; else, and by default, in the folder of its job",
    )


@contextmanager
def temporary_file(size: int, own: Path) -> Iterator[IO[bytes]]:
    """A file for `size` bytes during the block: where BATCH_TEMP_DIR says if there is room, else in the folder `own`.

    Raises Unreadable where there is no room at all.
    """
    folder = TemporarySettings().folder
    if folder is None or not _has_room(folder, 2 * size):
        folder = own
        if not _has_room(own, size + LEFT_FREE):
            raise no_room(size, own)
    try:
        file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - below
    except OSError as error:
        raise Unreadable(reasons.NO_ROOM, f"it cannot be unpacked to {folder}: {error.strerror}") from None
    with file:
        yield file


def no_room(size: int, folder: Path) -> Unreadable:
    """What is said of a file for which there is no room."""
    return Unreadable(
        reasons.NO_ROOM,
        f"unpacked it has {size:,} bytes, and {folder} has no room for it: make room, and use --retry-failed",
    )


def _has_room(folder: Path, size: int) -> bool:
    try:
        return shutil.disk_usage(folder).free >= size and os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        log.warning("a folder for temporary files cannot be used", folder=str(folder), error=str(error))
        return False
