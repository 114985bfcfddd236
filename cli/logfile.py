"""A log file that does not grow without bound."""

from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 10 * 1024 * 1024
KEEP = 2  # older files: name.log.1, name.log.2


class LogFile:
    """Appends bytes to `path`; at `limit` bytes the file moves to `.1`, that to `.2`, and the oldest goes."""

    def __init__(self, path: Path, limit: int = LIMIT_BYTES) -> None:
        self.path = path
        self._limit = limit
        self._file: BinaryIO = path.open("ab")
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append `data`; it reaches the file at once, so that it can be followed with `tail -f`."""
        if self._size and self._size + len(data) > self._limit:
            self._rotate()
        self._file.write(data)
        self._file.flush()
        self._size += len(data)

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEEP, 0, -1):
            source = self.path if number == 1 else self._numbered(number - 1)
            if source.exists():
                source.replace(self._numbered(number))
        self._file = self.path.open("ab")
        self._size = 0

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
