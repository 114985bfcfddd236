"""A memory of the files from which something was made, so that it is made again only when they change."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *words: str) -> str:
    """Return the digest of the names and contents of `files`, in any order, and of `words`."""
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for file in sorted(files):
        total.update(str(file).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


class Stamp:
    """A small file beside what was made, holding the digest of what it was made from."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def matches(self, current: str) -> bool:
        """Return whether the last `write` was given `current`."""
        return self.file.exists() and self.file.read_text().strip() == current

    def write(self, current: str) -> None:
        self.file.write_text(f"{current}\n")
