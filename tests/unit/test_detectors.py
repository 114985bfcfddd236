"""Detectors: boxes in pixels of the original frame, whatever its size; and the same as OpenCV's own YuNet."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.images import FACE, astronaut, iou, jpeg
from tests.helpers.tiny_yunet import SIDE, write_tiny_yunet
from worker.detection import Detections
from worker.detection.detector import Detector
from worker.detection.haar import Haar
from worker.detection.image import decode
from worker.detection.yunet import YuNet
from worker.models import YUNET


def detect(detector: Detector, data: bytes) -> Detections:
    return detector.detect(decode(data, detector.wants))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_yunet(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def yunet_file() -> Path:
    folder = os.environ.get("MODEL_DIR")
    path = Path(folder or "") / YUNET.filename
    if not folder or not path.is_file():
        pytest.skip("the real YuNet is tested where MODEL_DIR names its folder")
    return path


@pytest.mark.parametrize(
    ("width", "height"), [(320, 256), (640, 480), (480, 640), (1920, 1080), (300, 200), (97, 61)]
)
def test_boxes_land_where_the_bright_square_is(tiny: Path, width: int, height: int) -> None:
    frame = np.zeros((height, width, 3), np.uint8)
    scale = 320 / max(width, height)
    left, top = round(0.5 * width), round(0.25 * height)
    side = round(32 / scale)
    frame[top : top + side, left : left + side] = 255
    found = detect(YuNet(tiny), jpeg(frame, 95))
    assert len(found) >= 1
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    inside = [
        left - 8 / scale <= x <= left + side + 8 / scale and top - 8 / scale <= y <= top + side + 8 / scale
        for x, y in centres
    ]
    assert all(inside)
    full = found.boxes[(found.boxes[:, 0] > 0) & (found.boxes[:, 0] + found.boxes[:, 2] < width)]
    assert full[:, 2] == pytest.approx(SIDE / scale, abs=2)


def test_overlapping_candidates_leave_one_and_dark_frames_none(tiny: Path) -> None:
    frame = np.zeros((256, 320, 3), np.uint8)
    assert len(detect(YuNet(tiny), jpeg(frame))) == 0
    frame[96:112, 160:176] = 255  # four cells of stride 8, whose 24 px boxes overlap by half and more
    assert len(detect(YuNet(tiny, overlap=0.3), jpeg(frame, 95))) < 4


def test_the_model_is_named_with_its_digest(tiny: Path) -> None:
    assert YuNet(tiny).model.startswith("yunet@")
    assert len(YuNet(tiny).model) == len("yunet@") + 8
    assert Haar().model.startswith("haar@")


def test_haar_finds_the_astronaut() -> None:
    found = detect(Haar(), jpeg(astronaut()))
    assert max(iou(tuple(box), FACE) for box in found.boxes.tolist()) >= 0.5
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_yunet_finds_the_astronaut(yunet_file: Path) -> None:
    found = detect(YuNet(yunet_file), jpeg(astronaut()))
    assert iou(tuple(found.boxes[0].tolist()), FACE) >= 0.6
    assert found.landmarks is not None
    assert found.landmarks.shape[1:] == (5, 2)


def test_yunet_agrees_with_opencvs_own(yunet_file: Path) -> None:
    """Within a pixel and 0.01 of confidence at equal input: 320x320, a multiple of 32, nothing padded."""
    pixels = cv2.resize(astronaut(), (320, 320), interpolation=cv2.INTER_AREA)
    data = jpeg(np.asarray(pixels, np.uint8))
    reference = cv2.FaceDetectorYN.create(str(yunet_file), "", (320, 320), 0.6, 0.3)
    _, theirs = reference.detect(decode(data).pixels)
    ours = detect(YuNet(yunet_file), data)
    assert len(ours) == len(theirs)
    assert ours.boxes == pytest.approx(theirs[:, :4], abs=1)
    assert ours.confidence == pytest.approx(theirs[:, 14], abs=0.01)
    assert ours.landmarks is not None
    assert ours.landmarks.reshape(-1, 10) == pytest.approx(theirs[:, 4:14], abs=1)


def test_boxes_are_clipped_to_the_frame_and_what_is_outside_is_dropped() -> None:
    boxes = np.array([[-5, -5, 20, 20], [90, 90, 50, 50], [200, 200, 10, 10]], np.float32)
    confidence = np.array([0.9, 0.8, 0.7], np.float32)
    found = Detections(boxes, confidence, ("face", "hand", "face")).clipped(100, 100)
    assert found.boxes.tolist() == [[0, 0, 15, 15], [90, 90, 10, 10]]
    assert found.confidence.tolist() == pytest.approx([0.9, 0.8])
    assert found.labels == ("face", "hand")
