"""The rights of the files that a service makes: its user's alone."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

PRIVATE = 0o077
"""Taken from every new file: what the group and the others might do with it."""
EVERYBODY = stat.S_IRWXO


def keep_private(*folders: Path) -> None:
    """Give the files that this process and its children make to their user alone.

    What lies in one of `folders` from before is taken from everybody; a group's rights there were somebody's choice.
    """
    os.umask(PRIVATE)
    for path in _within(folders):
        with contextlib.suppress(OSError):  # gone, or another user's
            mode = path.lstat().st_mode
            if mode & EVERYBODY and (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                path.chmod(stat.S_IMODE(mode) & ~EVERYBODY)


def _within(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        with contextlib.suppress(OSError):
            yield from folder.iterdir()
