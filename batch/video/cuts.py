"""Where one scene of a video ends and the next begins, by PySceneDetect on pictures that were decoded anyway."""

import av
from scenedetect.common import FrameTimecode
from scenedetect.detector import FlashFilter
from scenedetect.detectors import ContentDetector

LOOKED_AT = 160  # pixels of the longer side; PySceneDetect itself looks at about as many
SHORTEST = 0.6  # seconds of a scene: flashes and wild cuts are not scenes
TICKS = 1000.0  # a second of its clock, which counts frames; ours counts milliseconds


class Cuts:
    """The cuts of one video, told with the first picture after each."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._detector = self._new()
        self._size: tuple[int, int] | None = None

    def at(self, frame: av.VideoFrame, time: float) -> bool:
        """Tell whether a scene begins with this frame. One of another size begins one, whatever it shows."""
        size = frame.width, frame.height
        changed = self._size is not None and self._size != size
        if changed:
            self._detector = self._new()  # it compares pictures of one size only
        self._size = size
        scale = min(1.0, LOOKED_AT / max(size))
        small = frame.to_ndarray(
            format="bgr24",
            width=max(1, round(size[0] * scale)),
            height=max(1, round(size[1] * scale)),
            threads=1,
        )
        found = self._detector.process_frame(FrameTimecode(time, TICKS), small)
        return changed or bool(found)

    def _new(self) -> ContentDetector:
        # Of its filters the one that holds nothing back: a picture's window is known when it is decoded.
        return ContentDetector(self._threshold, min_scene_len=SHORTEST, filter_mode=FlashFilter.Mode.SUPPRESS)
