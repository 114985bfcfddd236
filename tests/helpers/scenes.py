"""What a fixed camera sees, made by rule: a room, its light, its noise, and somebody in it."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.helpers.images import jpeg

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480


@cache
def room(seed: int = 1) -> Image:
    """An empty room, BGR 480x640x3: shaded walls, a hundred pieces of furniture, a fine texture on all of it."""
    rng = np.random.default_rng(seed)
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    image += 90 + 60 * np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
    for _ in range(100):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        w, h = (int(v) for v in rng.integers(8, 90, 2))
        image[y : y + h, x : x + w] = rng.uniform(30, 220, 3)
    image += rng.normal(0, 6, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return pixels(cv2.GaussianBlur(image, (0, 0), 0.7))


def pixels(values: NDArray[np.floating] | cv2.typing.MatLike) -> Image:
    """Rounded and clipped to uint8."""
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """With the noise of a sensor."""
    return pixels(image + rng.normal(0, sigma, image.shape))


def lit(image: Image, gain: float) -> Image:
    """In other light: the same view, all of it `gain` times as bright."""
    return pixels(image.astype(np.float32) * gain)


def soft(image: Image, sigma: float) -> Image:
    """Out of focus by `sigma` pixels."""
    return pixels(cv2.GaussianBlur(image, (0, 0), sigma))


def turned(image: Image, x: int, y: int = 0) -> Image:
    """The camera looks `x`, `y` pixels further left and up; what was not in view is mirrored."""
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return pixels(cv2.warpAffine(image, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))


def with_square(image: Image, x: int, y: int, size: int, grey: int = 20) -> Image:
    """With somebody: a square whose top left corner is at x, y."""
    copy = image.copy()
    copy[max(0, y) : max(0, y + size), max(0, x) : max(0, x + size)] = grey
    return copy


class Sensor:
    """A camera's sensor: the same scene is never the same picture."""

    def __init__(self, sigma: float = 4.0, seed: int = 1) -> None:
        self._sigma = sigma
        self._rng = np.random.default_rng(seed)

    def shot(self, image: Image) -> bytes:
        """A JPEG of the scene, with this sensor's noise."""
        return jpeg(noisy(image, self._sigma, self._rng), 85)
