"""Reads the output of a YOLO-style network, whose meaning is recognised from its shape.

| exported by | shape | one candidate |
| --- | --- | --- |
| YOLOv5, v6, v7 (`--grid`) | (1, N, 5 + C) | centre x, y, width, height, objectness, C classes |
| YOLOv8, v9, v11 | (1, 4 + C, N) | centre x, y, width, height, C classes |
| the same with five keypoints | (1, 4 + C + 15, N) | the same, then x, y, visibility five times |
| YOLOv10, v26, v8 and v11 with `nms=True` | (1, N, 6), N ≤ 1000 | left, top, right, bottom, confidence, class |

The last needs no suppression. All in pixels of the input, confidences with the sigmoid applied. Sources: the
exporters' documentation, https://docs.ultralytics.com/integrations/onnx/, and the README files of
https://github.com/meituan/YOLOv6, https://github.com/WongKinYiu/yolov7 and https://github.com/THU-MIG/yolov10.
Not among them: YOLOX, whose boxes are still relative to a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from worker.detection.detections import Floats
from worker.detection.errors import ModelMismatch

FINAL_AT_MOST = 1000  # detections of an end-to-end head; the exporters' default is 300
POINTS = 5
EXPECTED = (
    "expected 1xNx(5+classes) as YOLOv5, v6 and v7 have it, 1x(4+classes)xN as v8, v9 and v11, or 1xNx6 with N at "
    f"most {FINAL_AT_MOST} as v10"
)


class HeadFamily(Enum):
    """The three families of heads."""

    OBJECTNESS = auto()
    CLASSES = auto()
    FINAL = auto()


@dataclass(frozen=True)
class YoloHead:
    """The layout of an output.

    `classes` is how many there are (0 where the output names the class by its number); `points` is how many numbers
    each of the five keypoints has (0: there are none).
    """

    family: HeadFamily
    classes: int = 0
    points: int = 0


@dataclass(frozen=True)
class Candidates:
    """The boxes that the network proposes, in pixels of its input.

    boxes: (M, 4) x, y, width, height; confidence: (M,); classes: (M,) int; landmarks: (M, 5, 2) or None. All of them
    but the classes are float32.
    """

    boxes: Floats
    confidence: Floats
    classes: NDArray[np.intp]
    landmarks: Floats | None = None


def recognise(
    shape: Sequence[int], *, cells: int, classes: int | None, keypoints: tuple[int, int] | None
) -> YoloHead:
    """The head with this output shape, for an input with so many `cells` (see `grid_cells`).

    `classes` is the number of labels and `keypoints` the metadata `kpt_shape` (how many, numbers of each), where
    they are known. Raises ModelMismatch if it is not a head, or not one with so many classes.
    """
    found = "x".join(str(side) for side in shape)
    if len(shape) != 3 or shape[0] != 1 or shape[1] == shape[2]:
        raise ModelMismatch(f"its output is {found}: {EXPECTED}")
    _, rows, columns = shape
    # YOLOv5 with one class has six columns too, but always a row for every cell, or three.
    if columns == 6 and rows <= FINAL_AT_MOST and rows not in (cells, 3 * cells):
        return YoloHead(HeadFamily.FINAL)
    family, channels, box = (
        (HeadFamily.OBJECTNESS, columns, 5) if rows > columns else (HeadFamily.CLASSES, rows, 4)
    )
    rest = 0
    if keypoints is not None:
        rest = keypoints[0] * keypoints[1]
    elif family is HeadFamily.CLASSES and classes is not None and channels - box - classes == POINTS * 3:
        keypoints, rest = (POINTS, 3), POINTS * 3
    number = channels - box - rest
    if number < 1:
        raise ModelMismatch(f"its output is {found}: {EXPECTED}")
    if classes is not None and number != classes:
        raise ModelMismatch(
            f"its output is {found}, which is {number} classes, but there are {classes} labels"
        )
    if rest and family is not HeadFamily.CLASSES:
        raise ModelMismatch(f"its output is {found} with keypoints: only 1x(4+classes+keypoints)xN is known")
    return YoloHead(family, number, keypoints[1] if keypoints is not None and keypoints[0] == POINTS else 0)


def grid_cells(width: int, height: int) -> int:
    """Cells of an input, over the strides 8, 16 and 32."""
    return sum(-(-width // stride) * -(-height // stride) for stride in (8, 16, 32))


def candidates(output: Floats, head: YoloHead, threshold: float) -> Candidates:
    """Read what reaches the threshold in one output (1, ., .), of every candidate the best class only."""
    rows = output[0]
    if head.family is HeadFamily.FINAL:
        rows = rows[rows[:, 4] >= threshold]
        boxes = np.hstack([rows[:, :2], rows[:, 2:4] - rows[:, :2]])
        return Candidates(boxes, rows[:, 4], rows[:, 5].astype(np.intp))
    if head.family is HeadFamily.OBJECTNESS:
        rows = rows[rows[:, 4] >= threshold]  # the product with a class can only be less
        scores = rows[:, 5:].T * rows[:, 4]
        rows = rows.T
    else:
        scores = rows[4 : 4 + head.classes]
    confidence = scores.max(axis=0)
    chosen = np.flatnonzero(confidence >= threshold)
    x, y, width, height = rows[:4, chosen]
    landmarks = None
    if head.points:
        points = rows[4 + head.classes :, chosen].T.reshape(-1, POINTS, head.points)
        landmarks = points[:, :, :2]
    return Candidates(
        np.stack([x - width / 2, y - height / 2, width, height], axis=1),
        confidence[chosen],
        scores[:, chosen].argmax(axis=0),
        landmarks,
    )
