"""Zip and tar archives: what is in them, of which nothing is believed.

What an archive unpacks to is bounded by its own size: one whose members are a hundred times larger, and more than a
gigabyte, is a bomb.
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
from batch.inputs.found import Found
from batch.inputs.kinds import PICTURE, VIDEO, is_likely_video, is_zip
from batch.names import member_path

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
        check_bounds(whole, os.path.getsize(file), len(members))
        for member in members:
            if not member.is_dir():
                yield _found(path, member.filename, member.file_size, changed)


def _list_tar(path: bytes, file: bytes, changed: int) -> Iterator[Found]:
    with opened_tar(file) as archive:
        for count, member in enumerate(members_of(archive)):
            check_bounds(0, 1, count)
            if member.isreg():
                yield _found(path, clean_name(member.name), member.size, changed)


def _found(path: bytes, member: str, size: int, changed: int) -> Found:
    whole = member_path(path, clean_name(member))
    kind = VIDEO if is_likely_video(whole) else PICTURE
    return Found(whole, size, changed, path, member, kind=kind)


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
        check_bounds(self._position, self._packed, 0)
        return data


@contextmanager
def opened_tar(file: bytes) -> Iterator[tarfile.TarFile]:
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


def members_of(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        yield member
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps them all


def clean_name(name: str) -> str:
    """The member's name without what would end a path, or lead to another beginning."""
    return name.replace("\0", "�").lstrip("/")


def check_bounds(unpacked: int, packed: int, members: int) -> None:
    if members > MOST_MEMBERS:
        raise Bomb(f"it has more than {MOST_MEMBERS:,} members: split it into several archives")
    if unpacked > UNSUSPICIOUS and unpacked > MOST_RATIO * packed:
        raise Bomb(f"it unpacks to more than {MOST_RATIO} times its size")


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
