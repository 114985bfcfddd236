"""YuNet through ONNX Runtime.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023.
The network sees BGR, 0–255, without normalisation; its three heads have strides 8, 16 and 32.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from worker.detection.detections import Detections, Floats
from worker.detection.image import DecodedImage, Image, Wants

STRIDES = (8, 16, 32)
PAD_TO = 32
LABEL = "face"

ort.disable_telemetry_events()  # nothing leaves the operator's machine


class YuNet:
    """Face detector with five landmarks.

    `size` is the longer side of the network's input in pixels; faces of roughly 14–300 px of it are seen.
    `threshold` is the least confidence, `overlap` the IoU above which the weaker of two boxes goes.
    """

    name = "yunet"

    def __init__(self, path: Path, *, size: int = 320, threshold: float = 0.6, overlap: float = 0.3) -> None:
        data = path.read_bytes()
        self.model = f"yunet@{hashlib.sha256(data).hexdigest()[:8]}"
        self._size = size
        self.wants = Wants(longer_side=size, colour=True)
        self._threshold = threshold
        self._overlap = overlap
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # one process per core: more threads would only fight
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [f"{head}_{stride}" for stride in STRIDES for head in ("cls", "obj", "bbox", "kps")]
        self._grids: dict[tuple[int, int], list[Floats]] = {}

    def detect(self, image: DecodedImage) -> Detections:
        pixels = image.pixels
        scale = self._size / max(image.width, image.height)
        width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        if pixels.shape[:2] != (height, width):
            shrinks = pixels.shape[1] > width
            pixels = np.asarray(
                cv2.resize(
                    pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                ),
                np.uint8,
            )
        found = self._infer(pixels)
        return found.scaled(image.width / width, image.height / height).clipped(image.width, image.height)

    def _infer(self, pixels: Image) -> Detections:
        """Detections in pixels of the input: uint8 BGR (H, W, 3), padded here on the right and at the bottom."""
        height, width = (-(-side // PAD_TO) * PAD_TO for side in pixels.shape[:2])
        blob = np.zeros((1, 3, height, width), np.float32)
        blob[0, :, : pixels.shape[0], : pixels.shape[1]] = pixels.transpose(2, 0, 1)
        outputs = self._session.run(self._outputs, {self._input: blob})
        grids = self._grid(width, height)
        parts = [
            self._head(grids[i], stride, *(o[0] for o in outputs[4 * i : 4 * i + 4]))
            for i, stride in enumerate(STRIDES)
        ]
        boxes, confidence, landmarks = (np.concatenate(each) for each in zip(*parts, strict=True))
        if not len(boxes):
            return Detections.none()
        keep = np.asarray(
            cv2.dnn.NMSBoxes(boxes.tolist(), confidence.tolist(), self._threshold, self._overlap), np.intp
        ).reshape(-1)
        return Detections(
            boxes[keep], confidence[keep], (LABEL,) * len(keep), landmarks[keep].reshape(-1, 5, 2)
        )

    def _head(
        self, grid: Floats, stride: int, cls: Floats, obj: Floats, box: Floats, points: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """One stride's candidates over the threshold: boxes (M, 4), confidence (M,), landmarks (M, 10)."""
        confidence = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        chosen = np.flatnonzero(confidence >= self._threshold)
        cell = grid[chosen]
        centre = (cell + box[chosen, :2]) * stride
        size = np.exp(box[chosen, 2:]) * stride
        boxes = np.hstack([centre - size / 2, size])
        landmarks = (points[chosen] + np.tile(cell, 5)) * stride
        return boxes, confidence[chosen], landmarks

    def _grid(self, width: int, height: int) -> list[Floats]:
        """Per stride the column and row of every cell, (cells, 2); cameras rarely have more than a few sizes."""
        known = self._grids.get((width, height))
        if known is None:
            known = []
            for stride in STRIDES:
                rows, columns = np.mgrid[: height // stride, : width // stride]
                known.append(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32))
            if len(self._grids) > 64:
                self._grids.clear()
            self._grids[(width, height)] = known
        return known
