"""Disks that fill, without one: files of a process may grow no further, and a write fails as where there is no room."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def files_of_at_most(size: int, pid: int = 0) -> Iterator[None]:
    """No file of the process (0: this one) grows beyond so many bytes during the block."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it has ended because of it
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
