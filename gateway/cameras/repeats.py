"""frame_ids that were used twice: counted by what is missing for it, told once per camera, the latest remembered."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from gateway.cameras.cameras import Cameras
from gateway.metrics import GatewayMetrics
from runtime.logs import get_logger

log = get_logger("gateway")

REMEMBERED = 1_000


@dataclass(slots=True)
class RepeatedId:
    """A frame_id that several frames have, the first one of the camera `of`. `live` and `history` count the others'
    results, which are not shown and not kept there; `last` is the camera of the last one, which came at `time`."""

    of: str
    last: str
    time: float
    live: int = 0
    history: int = 0


class RepeatedIds:
    """Hears of each result whose frame_id was another frame's."""

    def __init__(self, cameras: Cameras, metrics: GatewayMetrics) -> None:
        self._cameras = cameras
        self._metrics = metrics
        self._latest: OrderedDict[str, RepeatedId] = OrderedDict()

    def add(self, missing: str, camera_id: str, frame_id: str, of: str) -> None:
        """A result is `missing` (live, or from the history) because the camera `of` had a frame of that id."""
        self._metrics.repeated.labels(missing).inc()
        self._remember(missing, camera_id, frame_id, of)
        if self._cameras.repeated(camera_id, frame_id, of, time.monotonic(), time.time()):
            log.warning(
                "frame_ids repeat: only the first result of an id is shown and kept; give every frame of every "
                "camera an id of its own",
                camera_id=camera_id,
                frame_id=frame_id,
                of=of,
            )

    def find(self, frame_id: str) -> RepeatedId | None:
        """What is remembered of the id: of the last thousand that came twice."""
        return self._latest.get(frame_id)

    def _remember(self, missing: str, camera_id: str, frame_id: str, of: str) -> None:
        known = self._latest.pop(frame_id, None) or RepeatedId(of, camera_id, 0.0)
        self._latest[frame_id] = known
        known.last, known.time = camera_id, time.time()
        if missing == "live":
            known.live += 1
        else:
            known.history += 1
        if len(self._latest) > REMEMBERED:
            self._latest.popitem(last=False)
