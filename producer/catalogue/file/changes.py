"""What is different between two states of cameras.yaml. Pure."""

from dataclasses import dataclass, replace
from types import MappingProxyType

from producer.catalogue.file.cameras import CameraFile


@dataclass(frozen=True, slots=True)
class Changes:
    """From one state to the next: the ids of cameras, each in the file's order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def compare(before: CameraFile, after: CameraFile) -> Changes:
    """What happened between the two."""
    old, new = before.cameras, after.cameras
    return Changes(
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
