"""Reads an item's picture, one after the other, in one thread. What workers do not read (WebP) becomes a JPEG."""

import os
import stat

from batch import reasons
from batch.errors import Unreadable
from batch.inputs.members import ArchiveReader
from batch.pictures.workshop import PictureWorkshop, UndecodablePicture
from batch.store import Item
from contract.failures import FailureReason
from contract.task import MAX_BODY_BYTES


class Loader:
    """Loads pictures."""

    def __init__(self, base: bytes) -> None:
        self._base = base
        self._archives = ArchiveReader(base)
        self._workshop = PictureWorkshop()

    def load(self, item: Item) -> bytes:
        """The item's picture as bytes, of at most what a task may have. Raises Unreadable."""
        data = (
            self._file(item.path)
            if item.archive is None
            else self._archives.picture(item.archive, item.member or "")
        )
        if not data:
            raise Unreadable(reasons.EMPTY, "it has no bytes")
        return self._as_jpeg(data) if is_webp(data) else data

    def close(self) -> None:
        """Close what is open."""
        self._workshop.close()
        self._archives.close()

    def _file(self, path: bytes) -> bytes:
        try:
            with open(os.path.join(self._base, path), "rb", opener=_without_waiting) as opened:
                if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                    raise Unreadable(reasons.NOT_A_FILE, "it is not a regular file")
                data = opened.read(MAX_BODY_BYTES + 1)
        except FileNotFoundError:
            raise Unreadable(reasons.MISSING, "there is no such file any more") from None
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise Unreadable(reasons.UNREADABLE, f"it cannot be read: {said}") from None
        if len(data) > MAX_BODY_BYTES:
            raise Unreadable(
                reasons.TOO_LARGE, f"it has more than {MAX_BODY_BYTES:,} bytes: make it smaller, or a JPEG"
            )
        return data

    def _as_jpeg(self, data: bytes) -> bytes:
        try:
            jpeg = self._workshop.jpeg(data)
        except UndecodablePicture as error:
            raise Unreadable(FailureReason.NOT_AN_IMAGE, str(error)) from None
        if len(jpeg) > MAX_BODY_BYTES:
            raise Unreadable(reasons.TOO_LARGE, "as JPEG it is larger than a task may be: make it smaller")
        return jpeg


def is_webp(data: bytes) -> bool:
    """Whether it is a WebP by its first bytes."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _without_waiting(path: str, flags: int) -> int:
    """Open it so that a pipe that nobody writes to does not hold everything up."""
    return os.open(path, flags | os.O_NONBLOCK)
