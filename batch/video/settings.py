"""How videos are decoded, sampled and cut into windows."""

from typing import Literal

from msgspec import Struct

MOST_FPS = 240


class VideoSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decoded of a video, and which of its pictures are analysed. Raises ValueError for what cannot be.

    longest_side: pixels; a larger picture is made smaller while it is decoded.
    fps: frames a second that are looked at, at most; 0: all.
    skip_still: a picture that shows the same as the one analysed last is not analysed.
    skip_repeated: nor is one that shows the same as an earlier one.
    area: the share of the picture that must differ for something to be new.
    threshold: by how many grey levels of 255 a place must differ.
    refresh: after so many seconds of a still picture it is analysed again; 0: never.
    remembered: earlier pictures that a new one is compared with.
    windows: `fixed`, or `scene`: a cut ends a window too.
    window_seconds, overlap_seconds: length of a window, and how much of it the next one shares.
    scene_threshold: how different two pictures must be for a cut (PySceneDetect's ContentDetector).
    quality: of the JPEG that is sent, 1-100.
    threads: of the decoder.
    """

    longest_side: int = 1280
    fps: float = 30.0
    skip_still: bool = True
    skip_repeated: bool = True
    area: float = 0.001
    threshold: int = 6
    refresh: float = 2.0
    remembered: int = 4096
    windows: Literal["fixed", "scene"] = "fixed"
    window_seconds: float = 15.0
    overlap_seconds: float = 3.0
    scene_threshold: float = 27.0
    quality: int = 90
    threads: int = 1

    def __post_init__(self) -> None:
        for name, low, high in BOUNDS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: it lies between {low:g} and {high:g}")
        if self.overlap_seconds > self.window_seconds / 2:
            raise ValueError("overlap_seconds is at most half of window_seconds")


BOUNDS = (
    ("longest_side", 64, 8192),
    ("fps", 0, MOST_FPS),
    ("area", 0, 0.5),
    ("threshold", 1, 254),
    ("refresh", 0, 86_400),
    ("remembered", 1, 100_000),
    ("window_seconds", 0.5, 3600),
    ("overlap_seconds", 0, 1800),
    ("scene_threshold", 1, 255),
    ("quality", 1, 100),
    ("threads", 0, 64),
)


def video_settings(every: float | None, windows: Literal["fixed", "scene"], *, skip: bool) -> VideoSettings:
    """Make the settings of what people choose.

    every: seconds from one picture to the next; None for what is usual, 0 for all. Who wants them oftener than any
    video has pictures gets all.
    skip: whether pictures that show nothing new are left out.
    """
    fps = VideoSettings().fps if every is None else 1 / every if every >= 1 / MOST_FPS else 0.0
    return VideoSettings(fps=fps, windows=windows, skip_still=skip, skip_repeated=skip)
