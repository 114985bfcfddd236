"""The YuNet network itself: pixels in, what every cell of its three heads says out.

Input and outputs are bound once per size to buffers that stay: a run then neither allocates nor copies, and the heads
lie one behind the other (https://onnxruntime.ai/docs/api/python/api_summary.html#iobinding).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime as ort

from worker.detection.any_batch import batch_session, by_size
from worker.detection.detections import Floats
from worker.detection.errors import ModelMismatch
from worker.detection.image import Image
from worker.detection.onnx_session import session

STRIDES = (8, 16, 32)
PAD_TO = 32
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}  # name, numbers per cell
OUTPUTS = [f"{head}_{stride}" for head in HEADS for stride in STRIDES]
KEPT_PIXELS = 2_000_000
"""Input pixels whose buffers are kept (24 MB): some twenty sizes at 320, six at 640, one of anything larger."""


@dataclass(frozen=True)
class CellOutputs:
    """The outputs of the N cells for one picture of several; as in `Grid`, but kept."""

    cell: Floats
    stride: Floats
    scores: Floats
    bbox: Floats
    kps: Floats


class Grid:
    """One size of the input and its N cells, of stride 8 first, then 16, 32; each row by row.

    cell: (N, 2) float32, column and row in its head; stride: (N, 1) float32, in pixels.
    scores: (2, N) float32, class and objectness; bbox: (N, 4), kps: (N, 10): what the last run said. The next one
    overwrites it.
    """

    def __init__(self, network: ort.InferenceSession, width: int, height: int) -> None:
        self.blob = np.zeros((1, 3, height, width), np.float32)
        self._planes = np.empty((3, 0, 0), np.uint8)
        counts = [(width // stride) * (height // stride) for stride in STRIDES]
        grids = [np.mgrid[: height // stride, : width // stride].reshape(2, -1) for stride in STRIDES]
        self.cell = np.ascontiguousarray(np.hstack(grids)[::-1].T, np.float32)
        self.stride = np.repeat(np.array(STRIDES, np.float32), counts)[:, np.newaxis]
        self.scores = np.zeros((2, sum(counts)), np.float32)
        self.bbox = np.zeros((sum(counts), 4), np.float32)
        self.kps = np.zeros((sum(counts), 10), np.float32)
        heads = {"cls": self.scores[0], "obj": self.scores[1], "bbox": self.bbox, "kps": self.kps}
        self.binding = network.io_binding()
        name = network.get_inputs()[0].name
        self.binding.bind_input(name, "cpu", 0, np.float32, self.blob.shape, self.blob.ctypes.data)
        for head, values in heads.items():
            for stride, part in zip(STRIDES, np.split(values, np.cumsum(counts)[:-1]), strict=True):
                shape = (1, len(part), HEADS[head])
                self.binding.bind_output(f"{head}_{stride}", "cpu", 0, np.float32, shape, part.ctypes.data)

    def fill(self, pixels: Image) -> None:
        """Put a picture (H, W, 3) into the top left corner; the rest is black."""
        height, width = pixels.shape[:2]
        if self._planes.shape[1:] != (height, width):
            self._planes = np.empty((3, height, width), np.uint8)
            self.blob.fill(0)  # a larger picture may have been here
        # To planes first, then to floats: half the time of transposing and converting at once.
        cv2.split(pixels, list(self._planes))
        self.blob[0, :, :height, :width] = self._planes


class YuNetNetwork:
    """Loaded and ready. Not thread-safe: its buffers are shared between runs.

    `gpu`: on one. `several`: be ready for several pictures in one run; whether that is possible says `together`.
    Raises ModelMismatch if the file is not a YuNet with input and outputs as in OpenCV Zoo.
    """

    def __init__(self, data: bytes, *, gpu: bool = False, several: bool = False) -> None:
        self._session = session(data, gpu=gpu)
        self._gpu = gpu
        self.together = False
        self._grids: dict[tuple[int, int], Grid] = {}
        inputs, outputs = self._session.get_inputs(), {out.name for out in self._session.get_outputs()}
        missing = sorted({f"{head}_{stride}" for head in HEADS for stride in STRIDES} - outputs)
        if missing:
            raise ModelMismatch(f"this is not a YuNet: it has no output {', '.join(missing)}")
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[:2] != [1, 3]:
            shapes = ", ".join(f"{each.name} {each.shape}" for each in inputs)
            raise ModelMismatch(
                f"this is not a YuNet: its input is {shapes}, expected one of [1, 3, height, width]"
            )
        if any(isinstance(side, int) for side in inputs[0].shape[2:]):
            raise ModelMismatch(f"this YuNet takes {inputs[0].shape} only: the one of 2026 takes any size")
        self._input = inputs[0].name
        if several and (changed := batch_session(data, gpu=gpu)) is not None:
            self._session, self.together = changed, True

    def run(self, pixels: Image) -> Grid | CellOutputs:
        """Run the network on a picture, uint8 BGR (H, W, 3), padded on the right and at the bottom."""
        if self._gpu:  # a GPU's results are copied in any case
            return self.run_many([pixels])[0]
        grid = self._grid(pixels)
        grid.fill(pixels)
        self._session.run_with_iobinding(grid.binding)
        return grid

    def run_many(self, pictures: Sequence[Image]) -> list[CellOutputs]:
        """Run the network on each picture, as `run`; those of the same size in one go. More than one: `together`."""
        said: dict[int, CellOutputs] = {}
        for group in by_size(pictures):
            grid = self._grid(pictures[group[0]])
            blob = np.empty((len(group), *grid.blob.shape[1:]), np.float32)
            for row, position in enumerate(group):
                grid.fill(pictures[position])
                blob[row] = grid.blob[0]
            outputs = self._session.run(OUTPUTS, {self._input: blob})
            cls, obj, bbox, kps = (
                np.concatenate(outputs[first : first + len(STRIDES)], axis=1)
                for first in range(0, len(OUTPUTS), len(STRIDES))
            )
            scores = np.stack([cls[:, :, 0], obj[:, :, 0]], axis=1)
            for row, position in enumerate(group):
                said[position] = CellOutputs(grid.cell, grid.stride, scores[row], bbox[row], kps[row])
        return [said[position] for position in range(len(pictures))]

    def _grid(self, pixels: Image) -> Grid:
        height, width = (-(-side // PAD_TO) * PAD_TO for side in pixels.shape[:2])
        known = self._grids.get((width, height))
        if known is None:
            if width * height + sum(w * h for w, h in self._grids) > KEPT_PIXELS:
                self._grids.clear()
            known = self._grids[(width, height)] = Grid(self._session, width, height)
        return known
