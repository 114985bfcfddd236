"""Small files that a command changes and a service follows: replaced as a whole under a lock, read when they change."""

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_Stamp = tuple[int, int, int]
_UNKNOWN: _Stamp = (-1, -1, -1)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Change the file alone for the length of the block: two commands at once would each lose the other's change.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = path.with_name(f"{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _give_to_owner_of(path.parent, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_whole(path: Path, content: bytes) -> None:
    """Replace the file, readable by its owner only; after a crash it is the old one or the new one.

    Blocks for the disk. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A name of its own: two services may share the folder.
    descriptor, written = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            _give_to_owner_of(path.parent, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(path)
    except OSError:
        Path(written).unlink(missing_ok=True)
        raise
    # The name, too, must be on the disk.
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class FollowedFile(Generic[T]):
    """A file's content as it was when it could last be read. `trouble` says why it cannot be now; else it is empty.

    `read` returns the content, also of a file that is not there; it raises `broken` for what nobody can read, and
    OSError.
    """

    def __init__(self, path: Path, read: Callable[[Path], T], broken: type[Exception]) -> None:
        self.path = path
        self.trouble = ""
        self._read = read
        self._broken = broken
        self._stamp: _Stamp | None = None

    def load(self) -> T:
        """Read it for the first time. Raises what `read` does, for then there is nothing that could hold."""
        self._stamp = _look(self.path)
        return self._read(self.path)

    def news(self) -> T | None:
        """Read it again if it changed; None: as before, or it cannot be used. Costs one stat."""
        try:
            stamp = _look(self.path)
            if stamp == self._stamp:
                return None
            content = self._read(self.path)
        except self._broken as error:
            self._stamp = stamp  # says the same until it changes
            self.trouble = str(error)
            return None
        except OSError as error:
            self._stamp = _UNKNOWN  # to be read as soon as that is possible
            self.trouble = f"{self.path}: {error.strerror or error}"
            return None
        self._stamp, self.trouble = stamp, ""
        return content


def _look(path: Path) -> _Stamp | None:
    """What changes with the file; None if there is none. Raises OSError."""
    try:
        seen = path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    """A command that root ran must not leave a file that the service cannot read."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
