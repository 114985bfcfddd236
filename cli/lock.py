"""One run per checkout."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from cli.errors import AlreadyRuns


def acquire(file: Path) -> TextIO:
    """Take the lock and write our pid into it; it is held until the returned file is closed, or we die.

    Raises AlreadyRuns, naming the process that has it.
    """
    lock = file.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRuns(
            f"Framefleet runs in this checkout already (pid {holder(file) or 'unknown'}). Stop it with Ctrl-C where it "
            "runs, or with `make down`. Only the number of workers can be changed while it runs: `make up WORKERS=2`"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def holder(file: Path) -> int | None:
    """The pid of the run that holds the lock; None when nobody does."""
    try:
        with file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = lock.read().strip()
                return int(text) if text.isdigit() else None
    except FileNotFoundError:
        pass
    return None
