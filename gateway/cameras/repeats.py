"""frame_ids that were used twice: counted by what is missing for it, and told once per camera."""

import time

from gateway.cameras.cameras import Cameras
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")


class RepeatedIds:
    """Hears of each result whose frame_id was another frame's."""

    def __init__(self, cameras: Cameras, metrics: GatewayMetrics) -> None:
        self._cameras = cameras
        self._metrics = metrics

    def add(self, missing: str, camera_id: str, frame_id: str, of: str) -> None:
        """A result is `missing` (live, or from the history) because the camera `of` had a frame of that id."""
        self._metrics.repeated.labels(missing).inc()
        if self._cameras.repeated(camera_id, frame_id, of, time.monotonic(), time.time()):
            log.warning(
                "frame_ids repeat: only the first result of an id is shown and kept; give every frame of every "
                "camera an id of its own",
                camera_id=camera_id,
                frame_id=frame_id,
                of=of,
            )
