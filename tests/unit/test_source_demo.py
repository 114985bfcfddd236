"""The demo's faces are where it says, and detectors find them there."""

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from producer.frames import Image
from producer.sources import demo
from tests.helpers.components import real_yunet

CAMERAS = (1, 2, 3, 4)
Boxes = Sequence[tuple[float, float, float, float]]


def picture(camera: int, n: int) -> Image:
    image = cv2.imdecode(np.frombuffer(demo.jpeg(camera, n), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def iou(a: demo.Box, b: tuple[float, float, float, float]) -> float:
    w = max(0.0, min(a.x + a.w, b[0] + b[2]) - max(a.x, b[0]))
    h = max(0.0, min(a.y + a.h, b[1] + b[3]) - max(a.y, b[1]))
    return w * h / (a.w * a.h + b[2] * b[3] - w * h)


def haar() -> Callable[[Image], Boxes]:
    folder = cv2.data.haarcascades  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier(folder + "haarcascade_frontalface_default.xml")

    def detect(image: Image) -> Boxes:
        found = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 4, minSize=(40, 40))
        return [(float(x), float(y), float(w), float(h)) for x, y, w, h in found]

    return detect


def yunet() -> Callable[[Image], Boxes]:
    detector = cv2.FaceDetectorYN.create(str(real_yunet()), "", (demo.WIDTH, demo.HEIGHT), 0.6)

    def detect(image: Image) -> Boxes:
        found = detector.detect(image)[1]
        return [] if found is None else [tuple(map(float, row[:4])) for row in found]  # type: ignore[misc]

    return detect


@pytest.mark.parametrize("make", [haar, yunet])
@pytest.mark.parametrize("camera", CAMERAS)
def test_detectors_find_the_faces_where_they_are(
    camera: int, make: Callable[[], Callable[[Image], Boxes]]
) -> None:
    detect = make()
    overlaps = []
    for n in range(0, demo.LOOP, 8):
        boxes = detect(picture(camera, n))
        overlaps += [max([iou(face, box) for box in boxes], default=0) for face in demo.face_boxes(camera, n)]
    assert np.mean(np.array(overlaps) >= 0.5) >= 0.95


@pytest.mark.parametrize("camera", CAMERAS)
def test_faces_stay_inside_and_move(camera: int) -> None:
    boxes = [demo.face_box(camera, n) for n in range(demo.LOOP)]
    assert all(b.x >= 0 and b.y >= 0 and b.x + b.w <= demo.WIDTH and b.y + b.h <= demo.HEIGHT for b in boxes)
    assert max(b.x for b in boxes) - min(b.x for b in boxes) > 40
    assert max(abs(b.x - a.x) for a, b in itertools.pairwise(boxes)) < 20


@pytest.mark.parametrize("camera", CAMERAS)
def test_frames_are_as_large_as_those_of_real_cameras(camera: int) -> None:
    sizes = [len(demo.jpeg(camera, n)) for n in range(0, demo.LOOP, 10)]
    assert min(sizes) > 20_000
    assert max(sizes) < 40_000
    assert picture(camera, 0).shape == (480, 640, 3)


def test_two_faces_in_the_fourth_camera_and_a_fifth_that_lags_behind_the_first() -> None:
    left, right = demo.face_boxes(4, 33)
    assert left.x + left.w < right.x
    assert demo.face_box(5, 0) == demo.face_box(1, 17)
    assert demo.face_box(1, demo.LOOP + 3) == demo.face_box(1, 3)


async def test_frame_k_of_the_source_is_frame_k_of_the_scene() -> None:
    frames = demo.Demo(2, fps=500).frames()
    seen = [await anext(frames) for _ in range(5)]
    await frames.aclose()
    assert [frame.picture.encoded(1).data for frame in seen] == [demo.jpeg(2, n) for n in range(5)]  # type: ignore[union-attr]
