"""Whether a file looks as if it was not written to its end. Pure.

A half-written list of cameras is valid YAML: block style has no closing bracket. So it is compared with the last text
that was taken on.
"""

import re

from producer.catalogue.file.cameras import CameraFile, InvalidCameraFile, Problem
from producer.catalogue.file.changes import compare

NO_LINE_END = (
    "its last line has no end, and before it had one: it seems to be cut off, and is waited for. If it is all there, "
    "end it with a line break"
)
HALF_AN_ENTRY = (
    "it ends within what it said before: it seems to be cut off, and is waited for. If it is all there, write a "
    "comment (#) at its end"
)
_SECTION = re.compile(
    rb"^[^\s#-]", re.MULTILINE
)  # a section of the file begins; entries have a hyphen or an indent


def refuse_cut_off(text: bytes, read: CameraFile, before_text: bytes, before: CameraFile) -> None:
    """Raises InvalidCameraFile if `text`, which says `read`, seems to lack its end; `before` is what held until now.

    A beginning of the text before is whole only if it takes whole cameras from its end and nothing else.
    """
    lines = text.count(b"\n") + 1
    if before_text.endswith(b"\n") and not text.endswith(b"\n"):
        raise InvalidCameraFile([Problem(lines, NO_LINE_END)])
    if before_text.startswith(text):
        changes = compare(before, read)
        altered = changes.added or changes.changed or not set(read.problems) <= set(before.problems)
        if altered or _SECTION.search(before_text, len(text)):
            raise InvalidCameraFile([Problem(lines, HALF_AN_ENTRY)])
