"""What is different between two states of cameras.yaml, and whether the new one is written to its end. Pure."""

import re
from dataclasses import dataclass, replace
from types import MappingProxyType

from producer.catalogue.file.cameras import CameraFile
from producer.errors import FileProblem, InvalidCameraFile

NO_LINE_END = (
    "its last line has no end, and before it had one: it seems to be cut off, and the producer waits for the rest. "
    "If it is all there, end it with a line break"
)
HALF_AN_ENTRY = (
    "it ends within what it said before: it seems to be cut off, and the producer waits for the rest. If it is all "
    "there, write a comment (#) at its end"
)
# Where a section of the file begins; entries have a hyphen or an indent.
_SECTION = re.compile(rb"^[^\s#-]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CatalogueChanges:
    """From one state to the next: the ids of cameras, each in the file's order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def compare(before: CameraFile, after: CameraFile) -> CatalogueChanges:
    """The changes that lead from one state to the other."""
    old, new = before.cameras, after.cameras
    return CatalogueChanges(
        added=tuple(camera_id for camera_id in new if camera_id not in old),
        removed=tuple(camera_id for camera_id in old if camera_id not in new),
        changed=tuple(
            camera_id for camera_id, camera in new.items() if camera_id in old and camera != old[camera_id]
        ),
    )


def keep_broken(before: CameraFile, after: CameraFile) -> CameraFile:
    """`after`, with each camera that is broken there as it was `before`, if it was valid: a typo stops no camera."""
    kept = {name: camera for name, camera in before.cameras.items() if name in after.broken}
    return replace(after, cameras=MappingProxyType({**after.cameras, **kept})) if kept else after


def refuse_cut_off(text: bytes, read: CameraFile, before_text: bytes, before: CameraFile) -> None:
    """Raises InvalidCameraFile if `text`, which says `read`, seems to lack its end; `before` is what held until now.

    A half-written list of cameras is valid YAML, because block style has no closing bracket. So the text is compared
    with the last one that was taken on: a beginning of that is whole only if it takes whole cameras from its end and
    nothing else.
    """
    lines = text.count(b"\n") + 1
    if before_text.endswith(b"\n") and not text.endswith(b"\n"):
        raise InvalidCameraFile([FileProblem(lines, NO_LINE_END)])
    if before_text.startswith(text):
        changes = compare(before, read)
        altered = changes.added or changes.changed or not set(read.problems) <= set(before.problems)
        if altered or _SECTION.search(before_text, len(text)):
            raise InvalidCameraFile([FileProblem(lines, HALF_AN_ENTRY)])
