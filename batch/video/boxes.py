"""Where an MP4 has its index, from the headers of its outermost boxes (ISO/IEC 14496-12). Pure.

Without the index nothing of it can be decoded. Recorders write it last; `-movflags +faststart` puts it first, and a
fragmented file has one in each fragment.
"""

from typing import Literal, Protocol

MOST_BOXES = 64  # before the index or the pictures there are three or four
FIRST = frozenset({b"ftyp", b"styp", b"moov", b"free", b"skip", b"wide", b"mdat", b"pnot"})


class Readable(Protocol):
    """Whatever bytes are read from, one after the other."""

    def read(self, size: int, /) -> bytes | None: ...


def index_place(file: Readable) -> Literal["first", "last", "other"]:
    """Tell where the index is: before the pictures or after them; `other`: it is no MP4 or MOV, and needs none.

    Reads on from where the file stands, and not past the beginning of the pictures.
    """
    for number in range(MOST_BOXES):
        head = _exactly(file, 8)
        if len(head) < 8:
            return "other"
        size, kind = int.from_bytes(head[:4]), head[4:]
        if number == 0 and kind not in FIRST:
            return "other"
        if kind == b"moov":
            return "first"
        if kind == b"mdat":
            return "last"
        if size == 1:
            size = int.from_bytes(_exactly(file, 8)) - 8
        if size < 8 or size > 1 << 24 or len(_exactly(file, size - 8)) < size - 8:
            return "other"
    return "other"


def _exactly(file: Readable, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (data := file.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)
