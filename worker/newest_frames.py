"""The newest frame of each slow camera: who begins to watch one sees it at once, and need not wait for the next."""

from collections import OrderedDict
from collections.abc import Callable

from worker.processor import Computed

SLOW_SECONDS = 1.0
"""A camera whose frames come here more often has a picture soon enough."""
KEEP_SECONDS = 120.0
"""What is older says little of the present."""
MAX_BYTES = 32 * 1024 * 1024
"""What all of them may take; the oldest make room. One larger than that is not kept."""
MAX_CAMERAS = 10_000


class NewestFrames:
    """One of each camera. Keeping it copies nothing: the bytes are those that came with the task."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # When its last frame came, and its id.
        self._cameras: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._frames: dict[str, Computed] = {}  # by frame_id
        self._bytes = 0

    def keep(self, computed: Computed) -> None:
        """Keep it if its camera is slow; the first frame of any is kept until the second tells."""
        now, camera_id, frame_id = self._clock(), computed.result.camera_id, computed.result.frame_id
        before = self._cameras.get(camera_id)
        if before is not None:
            self._forget(camera_id)
        self._cameras[camera_id] = (now, frame_id)
        if before is None or now - before[0] >= SLOW_SECONDS:
            self._drop(frame_id)
            self._frames[frame_id] = computed
            self._bytes += len(computed.image)
        while self._bytes > MAX_BYTES or len(self._cameras) > MAX_CAMERAS:
            self._forget(next(iter(self._cameras)))

    def find(self, frame_id: str) -> Computed | None:
        """The frame, if it is still here; it stays."""
        return self._frames.get(frame_id)

    def tidy(self) -> None:
        """Forget what is too old; call it now and then."""
        oldest = self._clock() - KEEP_SECONDS
        while self._cameras and next(iter(self._cameras.values()))[0] < oldest:
            self._forget(next(iter(self._cameras)))

    def _forget(self, camera_id: str) -> None:
        _, frame_id = self._cameras.pop(camera_id)
        self._drop(frame_id)

    def _drop(self, frame_id: str) -> None:
        dropped = self._frames.pop(frame_id, None)
        if dropped is not None:
            self._bytes -= len(dropped.image)
