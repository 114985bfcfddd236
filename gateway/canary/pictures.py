"""Pictures with faces at known places, each drawn anew: no result of another one fits it.

The face is a part of NASA's portrait of Eileen Collins, which is in the public domain (docs/third-party-licences.md).
"""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter, ImageOps

WIDTH, HEIGHT = 640, 360
SCALES = 0.75, 1.1
"""Faces of 69 to 101 pixels: Haar finds none below 56, and so small a part of the picture is seen by YuNet too."""
GREY = 70, 190
TINT = 20
QUALITY = 80

FACE_FILE = Path(__file__).parent / "face.jpg"
FACE = 66.0, 64.0, 92.0, 106.0
"""x, y, width and height of the face in its file: between what Haar (square) and YuNet (tall) draw around it."""
OVAL = 21, 16, 205, 240
"""The corners of the oval that is shown of the file; its edge is soft."""
SOFT = 7.0


class KnownFace(NamedTuple):
    """A face in pixels of its picture, top-left origin."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class CanaryPicture:
    """A JPEG of 640x360 pixels, and all faces in it."""

    jpeg: bytes
    faces: tuple[KnownFace, ...]


def draw(chance: Random) -> CanaryPicture:
    """Draw a plain ground with two faces, one in each half, of any size, at any place, either way round: 3 ms."""
    grey = chance.randint(*GREY)
    colour = tuple(grey + chance.randint(-TINT, TINT) for _ in range(3))
    picture = Image.new("RGB", (WIDTH, HEIGHT), colour)
    faces = tuple(_paste(picture, left, chance) for left in (0, WIDTH // 2))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return CanaryPicture(out.getvalue(), faces)


def _paste(picture: Image.Image, left: int, chance: Random) -> KnownFace:
    """Paste the face somewhere into the half that begins at `left`."""
    face, mask = _cut_out()
    scale = chance.uniform(*SCALES)
    size = round(face.width * scale), round(face.height * scale)
    x, y, w, h = (scale * each for each in FACE)
    if chance.random() < 0.5:
        face, mask = ImageOps.mirror(face), ImageOps.mirror(mask)
        x = size[0] - x - w
    at = left + chance.randint(0, WIDTH // 2 - size[0]), chance.randint(0, HEIGHT - size[1])
    picture.paste(face.resize(size), at, mask.resize(size))
    return KnownFace(at[0] + x, at[1] + y, w, h)


@cache
def _cut_out() -> tuple[Image.Image, Image.Image]:
    """The face, and how much of it is shown."""
    with Image.open(FACE_FILE, formats=("JPEG",)) as file:
        face = file.convert("RGB")
    mask = Image.new("L", face.size, 0)
    ImageDraw.Draw(mask).ellipse(OVAL, fill=255)
    return face, mask.filter(ImageFilter.GaussianBlur(SOFT))
