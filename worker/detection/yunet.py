"""YuNet through ONNX Runtime.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023.
The network sees BGR, 0–255, without normalisation; its three heads have strides 8, 16 and 32. Boxes and confidence
are computed as OpenCV's cv2.FaceDetectorYN does.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from worker.detection.detections import Detections, Floats
from worker.detection.image import DecodedImage, Image, Wants
from worker.detection.nms import suppress
from worker.detection.yunet_network import CellOutputs, Grid, YuNetNetwork

LABEL = "face"
Candidates = tuple[Floats, Floats, Floats]
"""M faces before the overlapping ones are dropped: boxes (M, 4), confidence (M,), landmarks (M, 5, 2)."""

SECOND_ABOVE = 340
"""Shorter side of the input above which there is a second look: at 640 and more, of faces 340 px high in the input all
are found, of 420 nine in ten, of 480 six, of 640 three."""
SECOND_SIZES = (160, 320)
SECOND_SHARE = 4
LARGE = 300


class YuNet:
    """Face detector with five landmarks.

    `size` is the longer side of the network's input in pixels; faces of roughly 14–380 px of it are seen. Where the
    input has room for larger ones it is looked at a second time, at a quarter of the size (160–320 px), and of that
    only faces of at least 300 px of the first input are taken. `threshold` is the least confidence, `overlap` the
    IoU above which the weaker of two boxes goes.

    `gpu`: compute on one. `several`: compute images together, if the network can be made to (`together`).

    Raises ModelMismatch (a ValueError) if the file is not a YuNet, OSError if it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "yunet",
        size: int = 320,
        threshold: float = 0.6,
        overlap: float = 0.3,
        gpu: bool = False,
        several: bool = False,
    ) -> None:
        data = path.read_bytes()
        self.name = name
        self.model = f"{name}@{hashlib.sha256(data).hexdigest()[:8]}"
        self.wants = Wants(longer_side=size, colour=True)
        self._network = YuNetNetwork(data, gpu=gpu, several=several)
        self.together = self._network.together
        self._size = size
        self._threshold = threshold
        self._overlap = overlap

    def detect(self, image: DecodedImage) -> Detections:
        found = self._look(image, self._size)
        again = self._look(image, self._second) if self._seen_twice(image) else None
        return self._chosen(image, found, again)

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        if not self.together:
            return [self.detect(image) for image in images]
        twice = [position for position, image in enumerate(images) if self._seen_twice(image)]
        found = self._look_many(images, self._size)
        again = dict(
            zip(twice, self._look_many([images[position] for position in twice], self._second), strict=True)
        )
        return [
            self._chosen(image, first, again.get(position))
            for position, (image, first) in enumerate(zip(images, found, strict=True))
        ]

    @property
    def _second(self) -> int:
        """Longer side of the input for the second look."""
        least, most = SECOND_SIZES
        return min(most, max(least, self._size // SECOND_SHARE))

    def _scale(self, image: DecodedImage) -> float:
        return self._size / max(image.width, image.height)

    def _seen_twice(self, image: DecodedImage) -> bool:
        return min(image.width, image.height) * self._scale(image) > SECOND_ABOVE

    def _chosen(self, image: DecodedImage, found: Candidates, again: Candidates | None) -> Detections:
        """Choose what is reported of the first look's candidates, and of the large ones of the second."""
        if again is not None:
            large = np.flatnonzero(again[0].max(axis=1, initial=0) * self._scale(image) >= LARGE)
            found = _joined(found, (again[0][large], again[1][large], again[2][large]))
        boxes, confidence, points = found
        if not len(boxes):
            return Detections.none()
        keep = suppress(boxes, confidence, np.zeros(len(boxes), np.intp), self._overlap)
        return Detections(boxes[keep], confidence[keep], (LABEL,) * len(keep), points[keep]).clipped(
            image.width, image.height
        )

    def _look(self, image: DecodedImage, size: int) -> Candidates:
        """Candidates in pixels of the original, from an input whose longer side is `size`."""
        return self._candidates(self._network.run(reduced(image, size)), image, size)

    def _look_many(self, images: Sequence[DecodedImage], size: int) -> list[Candidates]:
        """As `_look` for each."""
        said = self._network.run_many([reduced(image, size) for image in images])
        return [self._candidates(grid, image, size) for grid, image in zip(said, images, strict=True)]

    def _candidates(self, grid: Grid | CellOutputs, image: DecodedImage, size: int) -> Candidates:
        """Every cell at or over the threshold, in pixels of the original; the longer side of the input was `size`."""
        cls, obj = np.clip(grid.scores, 0, 1)
        confidence = np.sqrt(cls * obj)
        chosen = np.flatnonzero(confidence >= self._threshold)
        cell, stride, box = grid.cell[chosen], grid.stride[chosen], grid.bbox[chosen]
        centre = (cell + box[:, :2]) * stride
        sides = np.exp(box[:, 2:]) * stride
        points = (grid.kps[chosen].reshape(-1, 5, 2) + cell[:, np.newaxis]) * stride[:, np.newaxis]
        width, height = input_size(image, size)
        factor = np.array([image.width / width, image.height / height], np.float32)
        boxes = np.hstack([centre - sides / 2, sides])
        return boxes * np.tile(factor, 2), confidence[chosen], points * factor


def _joined(one: Candidates, other: Candidates) -> Candidates:
    boxes, confidence, points = (np.concatenate(both) for both in zip(one, other, strict=True))
    return boxes, confidence, points


def input_size(image: DecodedImage, longer_side: int) -> tuple[int, int]:
    """Width and height of the image as the network sees it, without its padding."""
    scale = longer_side / max(image.width, image.height)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def reduced(image: DecodedImage, longer_side: int) -> Image:
    """The image's pixels at that size."""
    return resized(image.pixels, *input_size(image, longer_side))


def resized(pixels: Image, width: int, height: int) -> Image:
    """The picture (H, W, 3) at another size of the same proportions.

    Halved while it is twice as large, then bilinear, which misses no pixel below a factor of two: at 640x480 a fifth of
    the time of cv2.INTER_AREA, which is quick for halves alone.
    """
    while pixels.shape[1] >= 2 * width and pixels.shape[0] >= 2 * height:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
