"""Footage with a known number of faces, and the JPEGs that the benchmarks send."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from producer.frames import Image
from producer.sources.demo import LOOP, SCENES, face_boxes, jpeg

QUALITY = 85
SIZE = (640, 480)
EVERY = 10
"""Of 30 frames a second that many differ by next to nothing."""


@dataclass(frozen=True)
class Clip:
    """Frames of one video, `faces` of them in view in each."""

    name: str
    faces: int
    images: list[Image]


SIGNERS = tuple(f"{name}.mkv" for name in ("again", "book", "school", "student", "thanks", "walk"))
PAIR = "head-pose-face-detection-female-and-male.gif"
PASSERS = "one-by-one-person-detection.mp4"
FACELESS = (
    range(176),
    range(200, 426),
    range(450, 676),
    range(700, 741),
    range(880, 1261),
    range(1290, 1336),
)
"""Frames of PASSERS without any part of a face, by eye: an empty room, or somebody from behind. In the others a
profile or a cheek with glasses shows."""


def footage(folder: Path, every: int = EVERY) -> list[Clip]:
    """The shared footage that is in the folder, each clip with its number of faces (its README says so)."""
    known = [*((name, 1) for name in SIGNERS), (PAIR, 2)]
    clips = [
        Clip(name, faces, [image for n, image in frames(folder / name) if n % every == 0])
        for name, faces in known
        if (folder / name).exists()
    ]
    passers = folder / PASSERS
    if passers.exists():
        images = [
            image
            for n, image in frames(passers)
            if n % every == 0 and any(n in stretch for stretch in FACELESS)
        ]
        clips.append(Clip(PASSERS, 0, images))
    return clips


def demo(every: int = EVERY) -> list[Clip]:
    """The demo cameras, one clip each."""
    return [
        Clip(
            f"demo-{camera}",
            len(face_boxes(camera, 0)),
            [decoded(jpeg(camera, n)) for n in range(0, LOOP, every)],
        )
        for camera in range(1, SCENES + 1)
    ]


def pictures(folder: Path | None, size: tuple[int, int] = SIZE, every: int = EVERY) -> list[bytes]:
    """JPEGs of all the videos in the folder at `size` (width, height), or of the demo cameras without one."""
    if folder is None:
        drawn = [jpeg(camera, n) for n in range(0, LOOP, every) for camera in range(1, SCENES + 1)]
        return drawn if size == SIZE else [resized(decoded(image), size) for image in drawn]
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    return [resized(image, size) for file in files for n, image in frames(file) if n % every == 0]


def at_most(data: bytes, limit: int) -> bytes:
    """The JPEG itself if it has `limit` bytes at most, else encoded again at the highest quality at which it does.

    Raises ValueError if there is none.
    """
    if len(data) <= limit:
        return data
    image = decoded(data)
    for quality in range(QUALITY, 0, -5):
        smaller = encoded(image, quality)
        if len(smaller) <= limit:
            return smaller
    raise ValueError(
        f"a picture of {image.shape[1]}x{image.shape[0]} does not fit into {limit} bytes: allow more"
    )


def frames(path: Path) -> Iterator[tuple[int, Image]]:
    """Every frame of a video with its number, BGR."""
    import av

    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            yield n, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def resized(image: Image, size: tuple[int, int]) -> bytes:
    """As JPEG of `size` (width, height), whatever its proportions were."""
    return encoded(np.asarray(cv2.resize(image, size), np.uint8))


def encoded(image: Image, quality: int = QUALITY) -> bytes:
    """As JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def decoded(data: bytes) -> Image:
    """As BGR."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)
