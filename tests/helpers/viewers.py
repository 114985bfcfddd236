"""What a writer tells a viewer's audience, in tests that do the writing themselves."""

from gateway.live.update import Update
from gateway.live.viewer import Viewer


def catch_up(viewer: Viewer) -> None:
    """The viewer has been written to."""
    if viewer.audience is not None:
        viewer.audience.catch_up(viewer)


def fall_behind(viewer: Viewer, rest: list[Update] | None = None) -> None:
    """The viewer cannot be written to now, and did not get `rest` of the round."""
    if viewer.audience is not None:
        viewer.audience.fall_behind(viewer, rest)
