"""A list of inputs that comes on standard input: kept in the job's folder, so that another run has it again."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
LONGEST = 65_536
"""Bytes of a path; what is longer is none."""


def spool(source: BinaryIO, target: Path, *, null: bool) -> str:
    """Write the list to `target`, a path per line of NUL-ended text; returns its digest."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for path in _split(source, b"\0" if null else b"\n"):
            digest.update(path + b"\0")
            out.write(path + b"\0")
    return digest.hexdigest()


def read_list(file: Path) -> Iterator[bytes]:
    """The paths of a list that was kept."""
    with file.open("rb") as source:
        yield from _split(source, b"\0")


def _split(source: BinaryIO, separator: bytes) -> Iterator[bytes]:
    rest = b""
    while chunk := source.read(CHUNK):
        *whole, rest = (rest + chunk).split(separator)
        for path in whole:
            if path := _trimmed(path, separator):
                yield path
        if len(rest) > LONGEST:
            rest = rest[:LONGEST]
    if path := _trimmed(rest, separator):
        yield path


def _trimmed(path: bytes, separator: bytes) -> bytes:
    """The path without the carriage return that a list from Windows has."""
    return path.removesuffix(b"\r") if separator == b"\n" else path
