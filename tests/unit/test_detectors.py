"""Detectors: boxes in pixels of the original frame, whatever its size; and the same as OpenCV's own YuNet."""

from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest

from tests.helpers.components import real_footage
from tests.helpers.images import FACE, astronaut, iou, jpeg
from tests.helpers.tiny_yunet import SIDE, write_tiny_yunet
from worker.detection import Detections
from worker.detection.detections import Floats
from worker.detection.detector import Detector
from worker.detection.errors import ModelMismatch
from worker.detection.haar import Haar
from worker.detection.image import DecodedImage, Image, decode
from worker.detection.yunet import YuNet, resized


def detect(detector: Detector, data: bytes) -> Detections:
    return detector.detect(decode(data, detector.wants))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_yunet(tmp_path_factory.mktemp("model") / "tiny.onnx")


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


def assert_agrees(detector: YuNet, reference: cv2.FaceDetectorYN, pixels: Image) -> None:
    """The same faces as OpenCV's at equal input, within a pixel and 0.01 of confidence."""
    height, width = pixels.shape[:2]
    reference.setInputSize((width, height))
    _, theirs = reference.detect(pixels)
    ours = detector.detect(DecodedImage(pixels, width, height))
    if theirs is None:
        assert len(ours) == 0
        return
    faces: Floats = theirs.astype(np.float32)
    expected = Detections(
        faces[:, :4], faces[:, 14], ("face",) * len(faces), faces[:, 4:14].reshape(-1, 5, 2)
    ).clipped(width, height)
    assert len(ours) == len(expected)
    assert ours.boxes == pytest.approx(expected.boxes, abs=1)
    assert ours.confidence == pytest.approx(expected.confidence, abs=0.01)
    assert ours.landmarks is not None
    assert ours.landmarks == pytest.approx(expected.landmarks, abs=1)


@pytest.mark.parametrize("threshold", [0.3, 0.6])
@pytest.mark.parametrize(("width", "height"), [(320, 320), (320, 240), (320, 181), (97, 320), (320, 33)])
def test_yunet_agrees_with_opencvs_own(yunet_file: Path, width: int, height: int, threshold: float) -> None:
    pixels = np.asarray(cv2.resize(astronaut(), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    reference = cv2.FaceDetectorYN.create(str(yunet_file), "", (width, height), threshold, 0.3)
    assert_agrees(YuNet(yunet_file, threshold=threshold), reference, pixels)


def test_yunet_agrees_with_opencvs_own_on_every_frame_of_the_footage(yunet_file: Path) -> None:
    detector = YuNet(yunet_file)
    reference = cv2.FaceDetectorYN.create(str(yunet_file), "", (320, 320), 0.6, 0.3)
    frames = 0
    for path in real_footage():
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                scale = 320 / max(pixels.shape)
                height, width = (round(side * scale) for side in pixels.shape[:2])
                assert_agrees(detector, reference, resized(pixels, width, height))
                frames += 1
    assert frames


@pytest.mark.parametrize("threshold", [0, 0.01, 0.99, 1])
def test_a_threshold_takes_effect_at_any_value(tiny: Path, threshold: float) -> None:
    """The tiny model says 1 where it is bright and 0 elsewhere."""
    frame = np.zeros((256, 320, 3), np.uint8)
    frame[96:112, 160:176] = 255
    bright = DecodedImage(frame, 320, 256)
    dark = DecodedImage(np.zeros((256, 320, 3), np.uint8), 320, 256)
    detector = YuNet(tiny, threshold=threshold)
    assert 1 in detector.detect(bright).confidence
    assert (len(detector.detect(dark)) > 0) == (threshold == 0)


def test_no_yunet_face_is_below_the_threshold_and_none_above_is_missing(yunet_file: Path) -> None:
    data = jpeg(astronaut())
    everything = detect(YuNet(yunet_file, threshold=0.01, overlap=1), data).confidence
    assert len(everything) > 10
    for threshold in (0.1, 0.5, 0.8, 0.99, 1):
        expected = everything[everything >= np.float32(threshold)]
        assert detect(YuNet(yunet_file, threshold=threshold, overlap=1), data).confidence == pytest.approx(
            expected
        )


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 1), (1, 500), (641, 479), (31, 33)])
@pytest.mark.parametrize("size", [64, 320, 448])
def test_any_size_of_picture_and_input(tiny: Path, width: int, height: int, size: int) -> None:
    """All of it bright: boxes everywhere, none of them outside."""
    found = YuNet(tiny, size=size).detect(
        DecodedImage(np.full((height, width, 3), 255, np.uint8), width, height)
    )
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= (width, height)).all()
    assert len(found) or min(width, height) < 4  # too thin for the mean of a whole cell


def test_nothing_of_the_picture_before_is_seen(tiny: Path) -> None:
    """Buffers are kept: a lower picture of the same padded size has black below it, not the former one."""
    detector = YuNet(tiny)
    white = np.full((256, 320, 3), 255, np.uint8)
    assert len(detector.detect(DecodedImage(white, 320, 256)))
    black = np.zeros((233, 320, 3), np.uint8)
    assert len(detector.detect(DecodedImage(black, 320, 233))) == 0


def portrait(face_height: int, width: int, height: int) -> Image:
    """The astronaut with a face so high, in the middle of a picture of that size."""
    x, y, w, h = FACE
    scale = face_height / h
    move = np.array(
        [[scale, 0, width / 2 - scale * (x + w / 2)], [0, scale, height / 2 - scale * (y + h / 2)]]
    )
    drawn = cv2.warpAffine(astronaut(), move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.uint8)


@pytest.mark.parametrize("size", [320, 448, 640, 1280, 1920])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.75, 0.9])
def test_faces_of_any_share_of_the_picture_are_found_at_any_input_size(
    yunet_file: Path, size: int, share: float
) -> None:
    width, height = size, size * 3 // 4
    face = round(share * height)
    found = YuNet(yunet_file, size=size).detect(DecodedImage(portrait(face, width, height), width, height))
    expected = (
        width / 2 - face * FACE[2] / FACE[3] / 2,
        height / 2 - face / 2,
        face * FACE[2] / FACE[3],
        face,
    )
    assert [iou(tuple(box), expected) >= 0.5 for box in found.boxes.tolist()].count(True) == 1


def test_one_look_at_a_large_input_does_not_see_what_fills_it(yunet_file: Path) -> None:
    """Why there is a second one: should OpenCV, which looks once, find the face one day, it is not needed any more."""
    reference = cv2.FaceDetectorYN.create(str(yunet_file), "", (1920, 1440), 0.6, 0.3)
    _, faces = reference.detect(portrait(1300, 1920, 1440))
    expected = (960 - 1024 / 2, 720 - 1300 / 2, 1024, 1300)
    assert all(iou(tuple(face[:4]), expected) < 0.5 for face in ([] if faces is None else faces.tolist()))


@pytest.mark.parametrize("size", [(320, 240), (300, 225), (400, 300), (213, 160), (160, 120), (900, 700)])
def test_resizing_shows_the_same_picture(size: tuple[int, int]) -> None:
    pixels = np.asarray(cv2.resize(astronaut(), (640, 480), interpolation=cv2.INTER_AREA), np.uint8)
    ours = resized(pixels, *size)
    assert ours.shape[1::-1] == size
    fair = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    assert np.abs(ours.astype(int) - fair).mean() < 4


def test_an_onnx_file_that_is_no_yunet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelMismatch, match="cannot load"):
        YuNet(path)
    model = onnx.load(str(write_tiny_yunet(path)))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 640
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 640
    onnx.save(model, str(path))
    with pytest.raises(ModelMismatch, match="640"):
        YuNet(path)
    del model.graph.output[:3]
    onnx.save(model, str(path))
    with pytest.raises(ModelMismatch, match="no output bbox_8"):
        YuNet(path)


def test_boxes_are_clipped_to_the_frame_and_what_is_outside_is_dropped() -> None:
    boxes = np.array([[-5, -5, 20, 20], [90, 90, 50, 50], [200, 200, 10, 10]], np.float32)
    confidence = np.array([0.9, 0.8, 0.7], np.float32)
    found = Detections(boxes, confidence, ("face", "hand", "face")).clipped(100, 100)
    assert found.boxes.tolist() == [[0, 0, 15, 15], [90, 90, 10, 10]]
    assert found.confidence.tolist() == pytest.approx([0.9, 0.8])
    assert found.labels == ("face", "hand")
