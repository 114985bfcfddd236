"""Which cameras a page of the list shows. Pure: `now` is monotonic seconds.

A list is long (10,000 cameras) and a page is short: only the page's own cameras become views, and a camera's state is
judged only where the cheaper filters let it through.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches

from contract.api.cameras import CameraView, ShownState
from gateway.cameras.camera import KnownCamera
from gateway.cameras.cameras import Cameras

FIELDS = tuple(field.name for field in fields(CameraView))


@dataclass(frozen=True, slots=True)
class CameraFilter:
    """What is wanted; empty: any. `text` is part of the id, name, location, group or district, in any case."""

    states: frozenset[ShownState] = frozenset()
    district: str = ""
    group: str = ""
    text: str = ""

    def labelled(self, cameras: Iterable[KnownCamera]) -> Iterable[KnownCamera]:
        """Return the cameras whose labels fit, whatever their state."""
        text = self.text.lower()
        return (
            camera
            for camera in cameras
            if (not self.district or camera.labels.district == self.district)
            and (not self.group or camera.labels.group == self.group)
            and (not text or text in camera.words)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the page after it, None at the end; `total` counts all pages."""

    items: list[CameraView]
    next: str | None
    total: int


def page_of(cameras: Cameras, wanted: CameraFilter, *, cursor: str, limit: int, now: float) -> Page:
    """The first `limit` wanted cameras after the id `cursor`.

    A cursor is a place in the order of ids, not a number of rows: cameras that come and go meanwhile make no other
    one appear twice or be left out.
    """
    matching: Sequence[KnownCamera] = cameras.known()
    if wanted != CameraFilter():
        matching = list(wanted.labelled(matching))
        if wanted.states:
            matching = [camera for camera in matching if cameras.state(camera, now) in wanted.states]
    start = bisect_right(matching, cursor, key=lambda camera: camera.camera_id)
    page = matching[start : start + limit]
    following = page[-1].camera_id if start + limit < len(matching) else None
    return Page([cameras.view(camera.camera_id, now) for camera in page], following, len(matching))


def chosen_fields(text: str) -> tuple[str, ...]:
    """The fields named in a comma-separated list, `camera_id` always first. Raises ValueError for unknown ones."""
    named = text.split(",")
    for name in named:
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ValueError(f"there is no field {name[:64]}: {hint}There are {', '.join(FIELDS)}")
    return tuple(dict.fromkeys(["camera_id", *named]))
