"""Pictures of 640x480 with one face of a known size at a known place: a photograph, scaled, on a background.

The photographs carry their surroundings (hair, shoulders, room), which a detector looks at as well, and their
edges are soft. A face's size is the longer side of its box, hairline to chin, as WIDER FACE annotates and YuNet
draws.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from bench.pictures import PASSERS, encoded, frames
from producer.frames import Image

WIDTH, HEIGHT = 640, 480
MARGIN = 4
Box = tuple[float, float, float, float]
"""x, y, width, height in pixels, top-left origin."""


@dataclass(frozen=True)
class Portrait:
    """BGR, with a face at `box`."""

    image: Image
    box: Box


@dataclass(frozen=True)
class Scene:
    """A JPEG of 640x480 with one face at `box`."""

    jpeg: bytes
    box: Box


FACES: tuple[tuple[str, int, Box], ...] = (
    ("again.mkv", 2, (289, 78, 70, 91)),
    ("again.mkv", 53, (287, 72, 62, 84)),
    ("book.mkv", 2, (276, 98, 54, 70)),
    ("book.mkv", 40, (279, 103, 51, 66)),
    ("school.mkv", 40, (278, 98, 53, 68)),
    ("student.mkv", 30, (275, 71, 66, 92)),
    ("thanks.mkv", 2, (282, 50, 61, 80)),
    ("thanks.mkv", 25, (284, 52, 60, 78)),
    ("walk.mkv", 30, (275, 103, 53, 71)),
)
"""File, frame, box: YuNet's at full size, each checked by eye."""


def portraits(footage: Path | None) -> list[Portrait]:
    """The portrait in scikit-image, and people of the shared footage if it is there."""
    found = [Portrait(np.ascontiguousarray(data.astronaut()[:, :, ::-1]), (178, 63, 90, 113))]
    for name in dict.fromkeys(name for name, _, _ in FACES):
        if footage is None or not (footage / name).exists():
            continue
        wanted = {n: box for file, n, box in FACES if file == name}
        found += [Portrait(image, wanted[n]) for n, image in frames(footage / name) if n in wanted]
    return found


def backgrounds(footage: Path | None) -> list[Image]:
    """BGR 640x480: a brick wall, gravel, a plain wall, and the empty room of the footage if it is there."""
    bricks = cv2.GaussianBlur(data.brick().T, (0, 0), 1.2)
    warm = (bricks[:, :, None] * np.array([0.62, 0.72, 0.85])).astype(np.uint8)
    gravel = cv2.cvtColor(data.gravel(), cv2.COLOR_GRAY2BGR)
    plain = np.full((HEIGHT, WIDTH, 3), (190, 200, 205), np.uint8)
    found = [*(_fitted(np.asarray(each, np.uint8)) for each in (warm, gravel)), plain]
    if footage is not None and (footage / PASSERS).exists():
        found.append(_fitted(next(frames(footage / PASSERS))[1]))
    return found


def scenes(size: int, count: int, people: Sequence[Portrait], places: Sequence[Image]) -> list[Scene]:
    """`count` scenes with a face of `size` pixels; the same ones every time."""
    chance = random.Random(size)
    return [
        compose(people[n % len(people)], size, places[n // len(people) % len(places)], chance)
        for n in range(count)
    ]


def compose(portrait: Portrait, size: int, place: Image, chance: random.Random) -> Scene:
    """The portrait at the scale at which its face has `size` pixels, somewhere on the background.

    All of the portrait is in the frame if it fits, otherwise all of its face.
    """
    scale = size / max(portrait.box[2:])
    image = np.asarray(
        cv2.resize(
            portrait.image,
            None,
            fx=scale,
            fy=scale,
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        ),
        np.uint8,
    )
    height, width = image.shape[:2]
    x, y, w, h = (
        side * grown / original
        for side, grown, original in zip(
            portrait.box, (width, height) * 2, portrait.image.shape[1::-1] * 2, strict=True
        )
    )
    left = _offset(chance, x, w, width, WIDTH)
    top = _offset(chance, y, h, height, HEIGHT)
    shift = np.array([[1, 0, left], [0, 1, top]], np.float64)
    alpha, drawn = (
        cv2.warpAffine(layer, shift, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)
        for layer in (_opacity(height, width), image)
    )
    blended = place + alpha[:, :, None] * (drawn.astype(np.float32) - place)
    return Scene(encoded(blended.astype(np.uint8)), (x + left, y + top, w, h))


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    inside = width * height
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)


def _offset(chance: random.Random, face: float, side: float, all_: int, frame: int) -> int:
    """Where the portrait begins along one axis; `face` and `side`: where the face begins and how long it is."""
    if all_ <= frame:
        return chance.randint(0, frame - all_)
    low = max(frame - all_, MARGIN - face)
    high = min(0.0, frame - MARGIN - face - side)
    return round(chance.uniform(low, high) if low < high else (frame - side) / 2 - face)


def _opacity(height: int, width: int) -> NDArray[np.float32]:
    edge = max(1, min(8, min(height, width) // 16))
    mask = np.zeros((height, width), np.float32)
    mask[edge:-edge, edge:-edge] = 1
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), edge / 2), np.float32)


def _fitted(image: Image) -> Image:
    """The middle of the image at 640x480, without distortion."""
    scale = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    grown = cv2.resize(image, None, fx=scale, fy=scale)
    top, left = (grown.shape[0] - HEIGHT) // 2, (grown.shape[1] - WIDTH) // 2
    return np.ascontiguousarray(grown[top : top + HEIGHT, left : left + WIDTH], np.uint8)
