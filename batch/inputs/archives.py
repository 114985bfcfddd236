"""Zip and tar archives, of which nothing is ever written to disk, and nothing is believed.

A member is read up to the size that a task may have. What an archive unpacks to is bounded by its own size: one whose
members are a hundred times larger, and more than a gigabyte, is a bomb.
"""

import bz2
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from batch import reasons
from batch.errors import Unreadable
from batch.inputs.found import Found
from batch.inputs.kinds import is_zip
from batch.names import member_path
from contract.task import MAX_BODY_BYTES

MOST_RATIO = 100
UNSUSPICIOUS = 1 << 30
"""Bytes: an archive that unpacks to less is not a bomb, whatever its ratio."""
MOST_MEMBERS = 2_000_000
MOST_DIRECTORY = 256 << 20
"""Bytes of a zip's directory, which is read whole."""
MOST_AT_ONCE = 16 << 20
"""Bytes that a tar's header may ask to have in memory."""
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error),
    *(ValueError, NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError),
)
"""What the libraries raise for archives that are damaged, or made to damage."""


class Bomb(Exception):
    """An archive unpacks to far more than it is."""


def list_archive(path: bytes, file: bytes, changed: int) -> Iterator[Found]:
    """The members of an archive that are files; ends with a `reason` where it is damaged, after what could be read."""
    try:
        yield from (_list_zip if is_zip(path) else _list_tar)(path, file, changed)
    except Bomb as error:
        yield Found(path, reason=reasons.ARCHIVE_BOMB, error=str(error))
    except BROKEN as error:
        said = f"{type(error).__name__}: {error}"[:200]
        yield Found(path, reason=reasons.CORRUPT_ARCHIVE, error=f"the archive cannot be read (on): {said}")


def _list_zip(path: bytes, file: bytes, changed: int) -> Iterator[Found]:
    if (size := _directory_bytes(file)) > MOST_DIRECTORY:
        raise Bomb(f"its directory has {size:,} bytes: split it into several archives")
    with zipfile.ZipFile(os.fsdecode(file)) as archive:
        members = archive.infolist()
        whole = sum(member.file_size for member in members)
        _check(whole, os.path.getsize(file), len(members))
        for member in members:
            if not member.is_dir():
                yield Found(
                    member_path(path, _clean(member.filename)),
                    member.file_size,
                    changed,
                    path,
                    member.filename,
                )


def _list_tar(path: bytes, file: bytes, changed: int) -> Iterator[Found]:
    with _tar(file) as archive:
        for count, member in enumerate(_members(archive)):
            _check(0, 1, count)
            if member.isreg():
                yield Found(
                    member_path(path, _clean(member.name)), member.size, changed, path, _clean(member.name)
                )


class ZipReader:
    """An open zip archive, for its members in any order."""

    def __init__(self, file: bytes) -> None:
        self._archive = zipfile.ZipFile(os.fsdecode(file))

    def read(self, member: str) -> bytes:
        """A member's content. Raises Unreadable."""
        try:
            about = self._archive.getinfo(member)
            if about.flag_bits & 1:
                raise Unreadable(reasons.ENCRYPTED, "it is encrypted: unpack the archive first")
            _check_size(about.file_size)
            with self._archive.open(about) as opened:
                return _bounded(opened)
        except BROKEN as error:
            raise _corrupt(error) from None

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class TarReader:
    """A tar archive that is gone through once; members in the order in which they lie there cost one pass."""

    def __init__(self, file: bytes) -> None:
        self._file = file
        self._opened: Any = None
        self._names: Iterator[tarfile.TarInfo] = iter(())
        self._archive: tarfile.TarFile | None = None

    def read(self, member: str) -> bytes:
        """A member's content. Raises Unreadable."""
        try:
            found = self._ahead(member)
            return self._from_the_beginning(member) if found is None else found
        except (Bomb, *BROKEN) as error:
            self.close()
            raise _corrupt(error) from None

    def close(self) -> None:
        """Close the archive."""
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = self._archive = None
            self._names = iter(())

    def _from_the_beginning(self, member: str) -> bytes:
        self.close()
        self._opened = _tar(self._file)
        self._archive = archive = self._opened.__enter__()
        self._names = _members(archive)
        found = self._ahead(member)
        if found is None:
            raise Unreadable(reasons.MISSING, "the archive has no such member any more")
        return found

    def _ahead(self, member: str) -> bytes | None:
        for about in self._names:
            if self._archive is not None and about.isreg() and _clean(about.name) == member:
                _check_size(about.size)
                opened = self._archive.extractfile(about)
                return b"" if opened is None else _bounded(opened)
        return None


class _Forward:
    """An unpacked tar as it streams past: knows where it is, goes only forward, and stops a bomb."""

    def __init__(self, file: IO[bytes], packed: int) -> None:
        self._file = file
        self._packed = packed
        self._position = 0
        self._last = b""
        self._back = False

    def tell(self) -> int:
        return self._position - self._back

    def seek(self, position: int, _whence: int = 0) -> int:
        """Forward; or back by the one byte by which tarfile looks whether a member is whole."""
        if position == self._position - 1 and self._last:
            self._back = True
            return position
        self._back = False
        while self._position < position:
            if not self._read(min(1 << 20, position - self._position)):
                break
        return self._position

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MOST_AT_ONCE:
            raise Bomb("a header of the archive asks for more memory than a picture takes")
        if self._back and size:
            self._back = False
            return self._last + (self._read(size - 1) if size > 1 else b"")
        return self._read(size)

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._position += len(data)
        self._last = data[-1:] or self._last
        _check(self._position, self._packed, 0)
        return data


@contextmanager
def _tar(file: bytes) -> Iterator[tarfile.TarFile]:
    with open(file, "rb") as raw, _unpacked(raw) as unpacked:
        stream = _Forward(unpacked, os.path.getsize(file))
        with tarfile.open(fileobj=cast(BinaryIO, stream), mode="r:", errors="surrogateescape") as archive:
            yield archive


def _unpacked(raw: BinaryIO) -> IO[bytes]:
    head = raw.read(6)
    raw.seek(0)
    opens: Callable[[BinaryIO], Any]
    if head.startswith(b"\x1f\x8b"):
        opens = lambda file: gzip.GzipFile(fileobj=file)  # noqa: E731
    elif head.startswith(b"BZh"):
        opens = bz2.BZ2File
    elif head.startswith(b"\xfd7zXZ\0"):
        opens = lzma.LZMAFile
    else:
        return raw
    return cast(IO[bytes], opens(raw))


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        yield member
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps them all


def _clean(name: str) -> str:
    """The member's name without what would end a path, or lead to another beginning."""
    return name.replace("\0", "�").lstrip("/")


def _check(unpacked: int, packed: int, members: int) -> None:
    if members > MOST_MEMBERS:
        raise Bomb(f"it has more than {MOST_MEMBERS:,} members: split it into several archives")
    if unpacked > UNSUSPICIOUS and unpacked > MOST_RATIO * packed:
        raise Bomb(f"it unpacks to more than {MOST_RATIO} times its size")


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise Unreadable(
            reasons.TOO_LARGE, f"it has {size:,} bytes, the limit is {MAX_BODY_BYTES:,}: make it smaller"
        )


def _bounded(opened: IO[bytes]) -> bytes:
    data = opened.read(MAX_BODY_BYTES + 1)
    _check_size(len(data))
    return data


def _corrupt(error: Exception) -> Unreadable:
    return Unreadable(
        reasons.CORRUPT_ARCHIVE, f"it cannot be read from its archive: {type(error).__name__}: {error}"[:300]
    )


def _directory_bytes(file: bytes) -> int:
    """How long a zip's directory says that it is (APPNOTE.TXT 4.3.14 to 4.3.16); 0 where nothing says so."""
    with open(file, "rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - 65_557))
        tail = opened.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or at + 20 > len(tail):
            return 0
        (length,) = struct.unpack_from("<L", tail, at + 12)
        if length < 0xFFFFFFFF or at < 20 or not tail.startswith(b"PK\x06\x07", at - 20):
            return int(length)
        (record,) = struct.unpack_from("<Q", tail, at - 12)
        opened.seek(min(record, size))
        found = opened.read(56)
        return int(struct.unpack_from("<Q", found, 40)[0]) if len(found) == 56 else 0
