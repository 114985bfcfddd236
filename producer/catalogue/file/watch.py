"""Notices that a file has new content, whether it was written in place, renamed over, or a link was swapped.

The file is polled, since inotify hears nothing, or the wrong thing, of a ConfigMap's link, a bind mount or a network
share.
"""

import hashlib
import os
from pathlib import Path

PATIENCE = 2.0
"""Seconds without a change until a file is read. Then whoever writes it is done, and the time of its next change will
differ, even where the file system keeps only whole seconds, or even ones (FAT)."""


class FileWatch:
    """Watches one file. Call `look` about every second, from one thread at a time; times are monotonic seconds."""

    def __init__(
        self, path: Path, content: bytes | None = None, *, largest: int, patience: float = PATIENCE
    ) -> None:
        """`content` is the content that is known already; of a file one byte more than `largest` is read at most."""
        self.path = path
        self._largest = largest
        self._patience = patience
        self._digest = _digest(content) if content is not None else None
        self._signature: tuple[int, ...] | None = None
        self._since: float | None = None  # when the signature changed, until the file was read
        self._failing: float | None = None  # since when the file cannot be read

    @property
    def settled(self) -> bool:
        """True once the file that is there now has been read."""
        return self._since is None and self._failing is None

    def look(self, now: float) -> bytes | None:
        """The content, once it is another than before and has settled.

        Raises OSError only if the file cannot be read for as long as that: some editors take it away for a moment.
        """
        try:
            content = self._read(now)
        except OSError:
            self._failing = now if self._failing is None else self._failing
            if now - self._failing < self._patience:
                return None
            raise
        self._failing = None
        if content is None:
            return None
        self._since = None
        digest = _digest(content)
        if digest == self._digest:
            return None
        self._digest = digest
        return content

    def _read(self, now: float) -> bytes | None:
        signature = _signature(self.path)
        if signature != self._signature:
            self._signature, self._since = signature, now
        if self._since is None or now - self._since < self._patience:
            return None
        with self.path.open("rb") as file:
            content = file.read(self._largest + 1)
        # If it was changed while it was read, the next look sees that.
        return content if _signature(self.path) == signature else None


def _signature(path: Path) -> tuple[int, ...]:
    """A signature of the file that `path` leads to in the end; another file, or this one once touched, has another."""
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
