"""The pictures with their boxes drawn in, as JPEGs that lie as the pictures do; of videos those with detections."""

import json
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from batch.errors import Misuse, Unreadable
from batch.inputs.kinds import VIDEO
from batch.inputs.loading import Loader
from batch.job import Job
from batch.outputs.yolo import frame_place, place
from batch.store import Item, Row, State
from batch.video.errors import VideoError
from batch.video_files import VideoFiles

COLOUR = 80, 220, 80  # BGR
NEEDS = "cv2"


def check() -> None:
    """Raise Misuse where pictures cannot be drawn on."""
    if find_spec(NEEDS) is None:
        raise Misuse(
            "annotated pictures need OpenCV, which this Python does not have: opencv-python-headless"
        )


def write_annotated(job: Job, folder: Path) -> None:
    """Draw every picture that was computed and can still be read. A video is read once more. Raises OSError."""
    loader, videos = Loader(job.wish.base), VideoFiles(job.wish.base, job.folder)
    try:
        for row in job.store.rows():
            item = Item(row.number, row.path, row.archive, row.member)
            if row.kind == VIDEO:
                _write_frames(job, row, item, videos, folder)
                continue
            if row.state is not State.OK:
                continue
            try:
                data = loader.load(item)
            except Unreadable:
                continue
            _write(data, json.loads(row.detections), folder / place(row, job, ".jpg"))
    finally:
        loader.close()
        videos.close()


def _write_frames(job: Job, row: Row, item: Item, videos: VideoFiles, folder: Path) -> None:
    from batch.video.process import confined_samples

    if not any(sample.detections != "[]" for sample in job.store.videos.samples(row.number)):
        return
    try:
        with videos.opened(item) as file, closing(confined_samples(file, job.wish.video)) as samples:
            for each in samples:
                known = None if each.jpeg is None else job.store.videos.sample(row.number, each.index)
                if each.jpeg is not None and known is not None and known.ok and known.detections != "[]":
                    place_of = folder / frame_place(row, job, each.index, ".jpg")
                    _write(each.jpeg, json.loads(known.detections), place_of)
    except (VideoError, Unreadable):  # as far as it can be read
        return


def _write(data: bytes, detections: list[dict[str, Any]], file: Path) -> None:
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return
    line = max(1, round(max(image.shape) / 400))
    for found in detections:
        x, y = found["x"], found["y"]
        cv2.rectangle(image, (x, y), (x + found["w"], y + found["h"]), COLOUR, line)
        text = f"{found['label']} {found['confidence']:.2f}"
        cv2.putText(image, text, (x, max(12, y - 4)), cv2.FONT_HERSHEY_SIMPLEX, 0.4 * line, COLOUR, line)
    file.parent.mkdir(parents=True, exist_ok=True)
    encoded, picture = cv2.imencode(".jpg", image)
    if encoded:
        file.write_bytes(picture.tobytes())
