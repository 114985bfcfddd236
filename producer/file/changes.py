"""What is different between two states of cameras.yaml, and which differences need a source opened again. Pure."""

from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from producer.file.cameras import CameraConfig, CameraFile

REOPENED = frozenset({"spec", "fps", "enabled"})
"""Fields that a source is opened with; all others take hold at the next frame."""


@dataclass(frozen=True, slots=True)
class Change:
    """A camera that is in both states. `keys`: the fields of CameraConfig that differ."""

    before: CameraConfig
    after: CameraConfig
    keys: frozenset[str]

    @property
    def reopen(self) -> bool:
        """Whether its source must be closed and, if the camera is enabled, opened again."""
        return bool(self.keys & REOPENED)


@dataclass(frozen=True, slots=True)
class Changes:
    """From one state to the next, each in the file's order."""

    added: tuple[CameraConfig, ...] = ()
    removed: tuple[CameraConfig, ...] = ()
    changed: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def compare(before: CameraFile, after: CameraFile) -> Changes:
    """What happened between the two."""
    old, new = before.cameras, after.cameras
    return Changes(
        added=tuple(camera for camera_id, camera in new.items() if camera_id not in old),
        removed=tuple(camera for camera_id, camera in old.items() if camera_id not in new),
        changed=tuple(
            Change(old[camera_id], camera, _differing(old[camera_id], camera))
            for camera_id, camera in new.items()
            if camera_id in old and camera != old[camera_id]
        ),
    )


def keep_broken(before: CameraFile, after: CameraFile) -> CameraFile:
    """`after`, with each camera that is broken there as it was `before`, if it was valid: a typo stops no camera."""
    kept = {name: camera for name, camera in before.cameras.items() if name in after.broken}
    return replace(after, cameras=MappingProxyType({**after.cameras, **kept})) if kept else after


def _differing(before: CameraConfig, after: CameraConfig) -> frozenset[str]:
    names = (each.name for each in fields(CameraConfig))
    return frozenset(name for name in names if getattr(before, name) != getattr(after, name))
