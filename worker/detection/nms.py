"""Non-maximum suppression within each class."""

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.detection.detections import Floats

MOST = 1000  # candidates that are looked at: at a very low threshold there are thousands


def suppress(
    boxes: Floats, confidence: Floats, classes: NDArray[np.intp], overlap: float
) -> NDArray[np.intp]:
    """Positions of the boxes that stay, best first.

    Of two boxes of the same class with an IoU above `overlap` the less confident goes; of boxes of different
    classes both stay. Of more than 1000 candidates the most confident 1000 count.
    boxes (M, 4) float32 x, y, width, height; confidence (M,) float32; classes (M,).
    """
    best = np.argsort(-confidence, kind="stable")[:MOST]
    # OpenCV's own loop on lists: a third of the time that it takes on arrays, a tenth of NumPy's.
    kept = cv2.dnn.NMSBoxesBatched(
        boxes[best].tolist(), confidence[best].tolist(), classes[best].tolist(), -1.0, overlap
    )
    return best[np.asarray(kept, np.intp).reshape(-1)]
