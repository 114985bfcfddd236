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
)
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
    other = other_format(head)
    what = f"it is {other}" if other is not None else "it is none of them by its first bytes"
    return f"the file is not taken: {what}; {TAKEN}"
