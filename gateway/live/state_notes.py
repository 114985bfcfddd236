"""What the history keeps of a camera's state. Cameras that no producer announces come and go as they like."""

import time

from gateway.cameras.cameras import Cameras, Shown
from gateway.history.states import StateChange, StateLog


def note_state(log: StateLog, cameras: Cameras, camera_id: str, shown: Shown | None) -> None:
    """Note a camera as it is shown now, or, with None, that it is gone."""
    wall = time.time()
    if shown is None:
        removed = cameras.removed_lately(camera_id)
        state, reason = (
            ("removed", "it was taken out of its producer's file")
            if removed
            else ("forgotten", "nothing was heard of it any more")
        )
        log.gone(StateChange(camera_id, state, reason, wall, wall))
    elif shown.producer_id is not None and (shown.state != "unknown" or log.knows(camera_id)):
        # A gateway that has just started knows nothing yet: that is no news of the camera.
        log.note(StateChange(camera_id, shown.state, shown.reason, shown.since, wall, shown.producer_id))
