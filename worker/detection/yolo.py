"""Any YOLO-style detection network, by its ONNX file.

The network sees RGB, 0–1, letterboxed on grey; its head is one of those in `yolo_head`. Exported files carry their
labels, size and keypoints as metadata: https://docs.ultralytics.com/integrations/onnx/.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from worker.detection.any_batch import by_size, computes_several
from worker.detection.detections import Detections, Floats
from worker.detection.errors import ModelMismatch
from worker.detection.image import DecodedImage, Image, Wants
from worker.detection.letterbox import GREY, Letterbox, fit, place, undo
from worker.detection.nms import suppress
from worker.detection.onnx_session import session
from worker.detection.yolo_file import Description, describe
from worker.detection.yolo_head import HeadFamily, YoloHead, candidates, grid_cells, recognise

DEFAULT_SIZE = 640


class Yolo:
    """Detector of whatever the network was trained on, with five landmarks if it is a face network that has them.

    `size` is the longer side of the input in pixels for a network that takes any; one with a fixed size keeps it.
    `threshold` is the least confidence, `overlap` the IoU above which the weaker of two boxes of a class goes (not
    used for a network that selects by itself). `labels` replace those in the file; without either they are
    `class 0`, `class 1`, … Classes with the same label are one class.

    Raises ModelMismatch (a ValueError) if the file is no such network, OSError if it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        size: int | None = None,
        threshold: float = 0.25,
        overlap: float = 0.45,
        labels: Sequence[str] | None = None,
        gpu: bool = False,
        several: bool = False,
    ) -> None:
        data = path.read_bytes()
        self.name = name
        self.model = f"{name}@{hashlib.sha256(data).hexdigest()[:8]}"
        self._session = session(data, gpu=gpu)
        self._file: Description = describe(self._session, labels)
        side = size or self._file.size or DEFAULT_SIZE
        self._limit = (self._file.width or side, self._file.height or side)
        self.wants = Wants(longer_side=max(self._limit), colour=True)
        self._threshold = threshold
        self._overlap = overlap
        self._labels = self._file.labels
        names = self._labels or ()
        self._first = np.array([names.index(name) for name in names], np.intp)
        self._head = self._try()
        self.together = several and self._file.any_batch and computes_several(self._session, self._session)

    def detect(self, image: DecodedImage) -> Detections:
        where = self._fit(image.width, image.height)
        return self._found(self._run([place(image.pixels, where)]), where, image)

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        if not self.together:
            return [self.detect(image) for image in images]
        places = [self._fit(image.width, image.height) for image in images]
        pictures = [place(image.pixels, where) for image, where in zip(images, places, strict=True)]
        found = [Detections.none()] * len(images)
        for group in by_size(pictures):
            outputs = self._run([pictures[i] for i in group])
            for i, output in zip(group, outputs, strict=True):
                found[i] = self._found(output[np.newaxis], places[i], images[i])
        return found

    def _found(self, output: Floats, where: Letterbox, image: DecodedImage) -> Detections:
        """Read one picture's output (1, ., .)."""
        found = candidates(output, self._head, self._threshold)
        if self._head.family is HeadFamily.FINAL:
            keep = np.argsort(-found.confidence, kind="stable")
        else:
            kinds = self._first[found.classes] if self._labels else found.classes
            keep = suppress(found.boxes, found.confidence, kinds, self._overlap)
        detections = Detections(
            found.boxes[keep],
            np.clip(found.confidence[keep], 0, 1),
            tuple(self._label(number) for number in found.classes[keep].tolist()),
            None if found.landmarks is None else found.landmarks[keep],
        )
        return undo(detections, where, image)

    def _try(self) -> YoloHead:
        """Run once, on grey: it works, its output is recognised, and the first frame finds it warm."""
        where = self._fit(*self._limit)
        try:
            output = self._run([np.full((where.input_height, where.input_width, 3), GREY, np.uint8)])
        except Exception as error:  # ONNX Runtime's errors share no base class
            size = f"{where.input_width}x{where.input_height}"
            raise ModelMismatch(f"it does not run on a picture of {size}: {error}") from error
        head = recognise(
            output.shape,
            cells=grid_cells(where.input_width, where.input_height),
            classes=None if self._labels is None else len(self._labels),
            keypoints=self._file.keypoints,
        )
        confidence = candidates(output, head, -np.inf).confidence
        if np.isnan(output).any() or not np.all((confidence >= 0) & (confidence <= 1)):
            raise ModelMismatch("its confidences are not between 0 and 1: export it with the sigmoid applied")
        return head

    def _fit(self, width: int, height: int) -> Letterbox:
        return fit(
            width,
            height,
            limit=self._limit,
            grow=(self._file.width is None, self._file.height is None),
            stride=self._file.stride,
        )

    def _run(self, pictures: Sequence[Image]) -> Floats:
        """The output (N, ., .) for N inputs of the same size, uint8 BGR (H, W, 3)."""
        blob = cv2.dnn.blobFromImages(pictures, scalefactor=1 / 255, swapRB=True)
        return np.asarray(self._session.run(None, {self._file.input: blob})[0], np.float32)

    def _label(self, number: int) -> str:
        known = self._labels is not None and 0 <= number < len(self._labels)
        return self._labels[number] if self._labels is not None and known else f"class {number}"
