"""Folders in memory: what need not outlive a crash of the machine waits for no disk."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30
"""Bytes that must be free there: in a container there may be 64 MB."""
PREFIX = "framefleet-tests-"


@contextmanager
def memory(folder: Path) -> Iterator[None]:
    """`folder`, which is not there yet, in memory during the block; where there is not enough, on the disk."""
    with contextlib.ExitStack() as stack:
        if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
            _tidy()
            own = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY)
            folder.symlink_to(stack.enter_context(own))
        yield


def _tidy() -> None:
    """Remove what processes have left behind that were killed."""
    for left in MEMORY.glob(f"{PREFIX}*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(left, ignore_errors=True)
