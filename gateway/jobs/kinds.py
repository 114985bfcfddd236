"""What an upload is, by its first bytes: a name promises nothing. Pure."""

import re
from typing import Literal

from batch.inputs.kinds import PICTURE, VIDEO
from contract.picture import other_format

ENOUGH = 512
"""Bytes by which every kind is known."""
TAKEN = "JPEG, PNG and WebP pictures and MP4, MOV, MKV, WebM, AVI, FLV and MPEG-TS videos are taken"

_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\xff\xd8\xff"), PICTURE),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PICTURE),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), PICTURE),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), VIDEO),
    (re.compile(rb"\x1a\x45\xdf\xa3"), VIDEO),  # MKV, WebM
    (re.compile(rb"FLV\x01"), VIDEO),
    (re.compile(rb"\x47.{187}\x47", re.DOTALL), VIDEO),  # MPEG-TS
    (re.compile(rb".{4}\x47.{191}\x47", re.DOTALL), VIDEO),  # the same of a camcorder: .mts, .m2ts
)
_PACKED = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
)
"""What archives and packed files begin with: zip, gzip, 7-Zip, RAR, bzip2, xz, zstd."""
UNKNOWN = "it begins like no picture and no video that is known here, whatever it is called"
# An MP4 or MOV begins with a box; HEIF and AVIF pictures do too.
_BOX = re.compile(rb"....(?:ftyp(?!hei|hev|mif|msf|avi[fs])|styp|moov|mdat|free|skip|wide|pnot)", re.DOTALL)
MP4 = "mp4"

Kind = Literal["picture", "video"]


def kind_of(head: bytes) -> str | None:
    """Which kind of item begins like this; None for one that is not taken."""
    if _BOX.match(head):
        return VIDEO
    return next((kind for pattern, kind in _KINDS if pattern.match(head)), None)


def is_boxed(head: bytes) -> bool:
    """Whether it is an MP4 or MOV, whose index may come last."""
    return _BOX.match(head) is not None


def refusal(head: bytes) -> str:
    """Why it is not taken, in a sentence for whoever sends it."""
    if any(head.startswith(each) for each in _PACKED) or head[257:262] == b"ustar":
        return f"the file is not taken: it is an archive: unpack it, and choose the folder that was in it; {TAKEN}"
    other = other_format(head)
    what = f"it is {other}" if other is not None else "it is text" if _is_text(head) else UNKNOWN
    return f"the file is not taken: {what}; {TAKEN}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.end < len(head):  # and not a character that is cut in two
            return False
        text = head[: error.start].decode()
    return all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text)
