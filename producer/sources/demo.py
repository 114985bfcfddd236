"""Draws moving faces at exactly known places: cameras for people who have none, and ground truth for tests.

The one face comes from the public-domain portrait that scikit-image carries (`skimage/data/astronaut.png`).
Where it is drawn is a pure function of the camera and the frame number, so a test can compare a detection
with `face_box(camera, n)`, where `n` is the counter at the end of the frame's id.

Four scenes repeat over the cameras: 1 pans over the photograph, 2 zooms in and out of it, 3 moves a cut-out
face over a moving wall, 4 moves two faces. Camera 5 is camera 1 a few seconds later, and so on.
"""

import asyncio
import functools
import math
import random
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.errors import SourceError
from producer.frames import Captured, Encoded, Image, Skipped
from producer.sources.pacing import Ticker

WIDTH, HEIGHT = 640, 480
FPS = 5.0  # four cameras keep one core with the built-in detector busy to two thirds
LOOP = 120  # frames until a scene repeats
SCENES = 4
QUALITY = 72  # 20-40 KB a frame, as cameras of this size send

# The face in the photograph (x, y, w, h): between what Haar (square) and YuNet (tall) draw around it.
_FACE = (178.0, 64.0, 92.0, 106.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A face in pixels of the frame, top-left origin, not clipped (the scenes keep faces inside)."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class _Pose:
    """The place of the photograph: its point (u, v) is drawn at (scale*u + x, scale*v + y)."""

    scale: float
    x: float
    y: float

    def face(self) -> Box:
        x, y, w, h = _FACE
        return Box(self.scale * x + self.x, self.scale * y + self.y, self.scale * w, self.scale * h)

    def matrix(self) -> NDArray[np.float64]:
        return np.array([[self.scale, 0, self.x], [0, self.scale, self.y]], np.float64)


def face_box(camera: int, n: int) -> Box:
    """The face of frame `n` (0, 1, ...) of demo camera `camera` (1 is `demo-1`); of two, the left one."""
    return face_boxes(camera, n)[0]


def face_boxes(camera: int, n: int) -> list[Box]:
    """Every face of frame `n` of demo camera `camera`, from left to right."""
    return [placement.face() for placement in _placements(*_scene(camera, n))]


def jpeg(camera: int, n: int) -> bytes:
    """Frame `n` of demo camera `camera` as JPEG. Each picture of a loop is drawn once and kept (about 30 KB)."""
    return _jpeg(*_scene(camera, n))


class Demo:
    """The endless frames of one demo camera, `fps` a second. Frame k of the iterator is frame k of the scene."""

    retries = True

    def __init__(self, camera: int, fps: float = 0.0) -> None:
        self._camera = camera
        self._fps = fps or FPS
        self._next = 0

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        ticker = Ticker(1 / self._fps, spread=random.random())  # noqa: S311 - no secret
        while True:
            await asyncio.sleep(ticker.delay(time.monotonic()))
            scene = _scene(self._camera, self._next)
            # Drawing takes milliseconds: it stays off the event loop until all pictures of the scene are there.
            data = _kept[scene] if scene in _kept else await asyncio.to_thread(_jpeg, *scene)
            self._next += 1
            yield Captured(time.time(), Encoded(data, "image/jpeg"))


def _scene(camera: int, n: int) -> tuple[int, int]:
    """The scene that is drawn (0-3) and the moment of its loop (0 to LOOP-1)."""
    return (camera - 1) % SCENES, (n + (camera - 1) // SCENES * 17) % LOOP


def _placements(scene: int, phase: int) -> Sequence[_Pose]:
    turn = 2 * math.pi * phase / LOOP
    if scene == 0:  # a window of 640x480 wanders over the photograph, which is 922 pixels wide
        return [_Pose(1.8, -141 - 125 * math.sin(turn), -50 - 45 * math.sin(2 * turn))]
    if scene == 1:  # zoom about the face
        scale = 1.75 - 0.45 * math.cos(turn)
        return [_at(scale, 278 + 30 * math.sin(turn), 150 + 44 * (scale - 1.3))]
    if scene == 2:
        return [
            _at(1.1 + 0.15 * math.sin(2 * turn), 320 - 190 * math.cos(turn), 240 + 85 * math.sin(2 * turn))
        ]
    return [
        _at(1.0, 165 + 45 * math.sin(turn), 240 + 80 * math.cos(turn)),
        _at(1.25, 465 - 40 * math.sin(turn), 240 + 70 * math.cos(turn + math.pi / 2)),
    ]


def _at(scale: float, x: float, y: float) -> _Pose:
    """The placement that puts the middle of the face at (x, y) of the frame."""
    left, top, w, h = _FACE
    return _Pose(scale, x - scale * (left + w / 2), y - scale * (top + h / 2))


_kept: dict[tuple[int, int], bytes] = {}  # bounded: SCENES * LOOP pictures


def _jpeg(scene: int, phase: int) -> bytes:
    data = _kept.get((scene, phase))
    if data is None:
        data = cv2.imencode(".jpg", _draw(scene, phase), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        _kept[scene, phase] = data
    return data


def _draw(scene: int, phase: int) -> Image:
    placements = _placements(scene, phase)
    if scene < 2:
        return _warp(_photograph(), placements[0], cv2.BORDER_REPLICATE)
    shift = round(1024 * phase / LOOP) * (1 if scene == 2 else -1)  # the wall comes round once a loop
    canvas = np.roll(_wall(), shift, axis=1)[:HEIGHT, :WIDTH].astype(np.float32)
    for placement in placements:
        alpha = _warp(_cut_out(), placement, cv2.BORDER_CONSTANT)[:, :, None].astype(np.float32) / 255
        canvas += alpha * (_warp(_photograph(), placement, cv2.BORDER_CONSTANT) - canvas)
    return canvas.astype(np.uint8)


def _warp(image: Image, placement: _Pose, border: int) -> Image:
    return np.asarray(
        cv2.warpAffine(image, placement.matrix(), (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border),
        np.uint8,
    )


@functools.cache
def _photograph() -> Image:
    """The portrait, BGR 512x512."""
    return _carried("astronaut.png", cv2.IMREAD_COLOR)


@functools.cache
def _cut_out() -> Image:
    """Opacity of the photograph (512x512): an oval around head and shoulders with a soft edge."""
    mask = np.zeros((512, 512), np.uint8)
    cv2.ellipse(mask, (225, 128), (92, 112), 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 7), np.uint8)


@functools.cache
def _wall() -> Image:
    """A brick wall, BGR 512x1024, its right half the mirror of its left, so that it repeats without a seam."""
    bricks = cv2.GaussianBlur(_carried("brick.png", cv2.IMREAD_GRAYSCALE).T, (0, 0), 1.2)
    half = (bricks[:, :, None] * np.array([0.62, 0.72, 0.85])).astype(np.uint8)
    return np.ascontiguousarray(np.hstack([half, half[:, ::-1]]))


def _carried(name: str, how: int) -> Image:
    """A picture of scikit-image, which is not imported: that takes a second and 60 MB, and images hold only files."""
    package = find_spec("skimage")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise SourceError("no_demo", "the demo's pictures come with scikit-image, which is not installed")
    return np.asarray(cv2.imread(str(Path(folders[0]) / "data" / name), how), np.uint8)
