"""The pictures with their boxes drawn in, as JPEGs that lie as the pictures do."""

import json
from importlib.util import find_spec
from pathlib import Path

from batch.errors import BatchError, Unreadable
from batch.inputs.loading import Loader
from batch.job import Job
from batch.outputs.yolo import place
from batch.store import Item, State

COLOUR = 80, 220, 80  # BGR
NEEDS = "cv2"


def check() -> None:
    """Raise BatchError where pictures cannot be drawn on."""
    if find_spec(NEEDS) is None:
        raise BatchError(
            "annotated pictures need OpenCV, which this Python does not have: opencv-python-headless"
        )


def write_annotated(job: Job, folder: Path) -> None:
    """Draw every picture that was computed and can still be read. Raises OSError."""
    import cv2
    import numpy as np

    loader = Loader(job.wish.base)
    try:
        for row in job.store.rows():
            if row.state is not State.OK:
                continue
            try:
                data = loader.load(Item(row.number, row.path, row.archive, row.member, None, 0))
            except Unreadable:
                continue
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if image is None:
                continue
            line = max(1, round(max(image.shape) / 400))
            for found in json.loads(row.detections):
                x, y = found["x"], found["y"]
                cv2.rectangle(image, (x, y), (x + found["w"], y + found["h"]), COLOUR, line)
                text = f"{found['label']} {found['confidence']:.2f}"
                cv2.putText(
                    image, text, (x, max(12, y - 4)), cv2.FONT_HERSHEY_SIMPLEX, 0.4 * line, COLOUR, line
                )
            file = folder / place(row, job, ".jpg")
            file.parent.mkdir(parents=True, exist_ok=True)
            encoded, picture = cv2.imencode(".jpg", image)
            if encoded:
                file.write_bytes(picture.tobytes())
    finally:
        loader.close()
