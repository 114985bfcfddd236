"""Reads what is in archives, a member at a time: pictures into memory, up to the size that a task may have, and videos
piece by piece, of any size that the archive's own allows."""

import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Self

from batch import reasons
from batch.errors import Unreadable
from batch.inputs.archives import BROKEN, Bomb, check_bounds, clean_name, members_of, opened_tar
from batch.inputs.kinds import is_zip
from contract.task import MAX_BODY_BYTES


class ArchiveMember:
    """An open member of an archive, of `size` bytes as the archive says."""

    def __init__(self, size: int, stream: IO[bytes], failed: Callable[[], None]) -> None:
        self.size = size
        self._stream = stream
        self._failed = failed

    def read(self, size: int) -> bytes:
        """The next bytes, so many at most; none at its end. Raises Unreadable."""
        try:
            return self._stream.read(size)
        except (Bomb, *BROKEN) as error:
            self._failed()
            raise _unreadable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class ArchiveReader:
    """Opens members of the archives below `base`. Keeps the archive of the last one open: members come in the order in
    which they lie there."""

    def __init__(self, base: bytes) -> None:
        self._base = base
        self._archive: tuple[bytes, _ZipReader | _TarReader] | None = None

    def picture(self, archive: bytes, member: str) -> bytes:
        """A member's content, of at most what a task may have. Raises Unreadable."""
        with self._open(archive, member) as opened:
            _check_size(opened.size)
            data = opened.read(MAX_BODY_BYTES + 1)
            _check_size(len(data))
            return data

    def video(self, archive: bytes, member: str) -> ArchiveMember:
        """A member of any size that its archive may unpack to. Raises Unreadable."""
        opened = self._open(archive, member)
        try:
            check_bounds(opened.size, os.path.getsize(os.path.join(self._base, archive)), 0)
        except (Bomb, OSError) as error:
            opened.__exit__()
            raise _unreadable(error) from None
        return opened

    def close(self) -> None:
        """Close what is open."""
        if self._archive is not None:
            self._archive[1].close()
            self._archive = None

    def _open(self, archive: bytes, member: str) -> ArchiveMember:
        if self._archive is None or self._archive[0] != archive:
            self.close()
            file = os.path.join(self._base, archive)
            try:
                self._archive = archive, _ZipReader(file) if is_zip(archive) else _TarReader(file)
            except BROKEN as error:
                raise Unreadable(reasons.CORRUPT_ARCHIVE, f"its archive cannot be read: {error}") from None
        try:
            size, stream = self._archive[1].open(member)
        except (Bomb, *BROKEN) as error:
            self.close()
            raise _unreadable(error) from None
        return ArchiveMember(size, stream, self.close)


class _ZipReader:
    """A zip archive, for its members in any order."""

    def __init__(self, file: bytes) -> None:
        self._archive = zipfile.ZipFile(os.fsdecode(file))

    def open(self, member: str) -> tuple[int, IO[bytes]]:
        """A member's size and content. Raises Unreadable, and what BROKEN has."""
        about = self._archive.getinfo(member)
        if about.flag_bits & 1:
            raise Unreadable(reasons.ENCRYPTED, "it is encrypted: unpack the archive first")
        return about.file_size, self._archive.open(about)

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class _TarReader:
    """A tar archive that is gone through once; members in the order in which they lie there cost one pass."""

    def __init__(self, file: bytes) -> None:
        self._file = file
        self._opened: Any = None
        self._names: Iterator[tarfile.TarInfo] = iter(())
        self._archive: tarfile.TarFile | None = None

    def open(self, member: str) -> tuple[int, IO[bytes]]:
        """A member's size and content. Raises Unreadable, Bomb, and what BROKEN has."""
        found = self._ahead(member)
        return self._from_the_beginning(member) if found is None else found

    def close(self) -> None:
        """Close the archive."""
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = self._archive = None
            self._names = iter(())

    def _from_the_beginning(self, member: str) -> tuple[int, IO[bytes]]:
        self.close()
        self._opened = opened_tar(self._file)
        self._archive = archive = self._opened.__enter__()
        self._names = members_of(archive)
        found = self._ahead(member)
        if found is None:
            raise Unreadable(reasons.MISSING, "the archive has no such member any more")
        return found

    def _ahead(self, member: str) -> tuple[int, IO[bytes]] | None:
        for about in self._names:
            if self._archive is not None and about.isreg() and clean_name(about.name) == member:
                opened = self._archive.extractfile(about)
                return None if opened is None else (about.size, opened)
        return None


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise Unreadable(
            reasons.TOO_LARGE, f"it has {size:,} bytes, the limit is {MAX_BODY_BYTES:,}: make it smaller"
        )


def _unreadable(error: Exception) -> Unreadable:
    if isinstance(error, Bomb):
        return Unreadable(reasons.ARCHIVE_BOMB, str(error))
    return Unreadable(
        reasons.CORRUPT_ARCHIVE, f"it cannot be read from its archive: {type(error).__name__}: {error}"[:300]
    )
