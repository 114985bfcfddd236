"""YOLO-style networks: every head finds the squares where they are, whatever the size of input and frame."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.images import encoded
from tests.helpers.tiny_yolo import CELL, FINAL, HEADS, OBJECTNESS, POINTS, SIDE, write_tiny_yolo
from worker.detection import Detections
from worker.detection.errors import ModelMismatch
from worker.detection.image import decode
from worker.detection.yolo import Yolo

LABELS = ("red", "green", "blue")
NAMES = {"names": dict(enumerate(LABELS))}
COLOURS = {"blue": (255, 0, 0), "green": (0, 255, 0), "red": (0, 0, 255)}  # as BGR


def frame(width: int, height: int) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def paint(picture: NDArray[np.uint8], box: tuple[float, ...], colour: tuple[int, ...]) -> None:
    x, y, w, h = (round(side) for side in box)
    picture[y : y + h, x : x + w] = colour


def detect(yolo: Yolo, picture: NDArray[np.uint8]) -> Detections:
    return yolo.detect(decode(encoded(picture, ".png"), yolo.wants))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("sides", [("height", "width"), (320, 320), (256, 320)], ids=str)
@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 480), (480, 640), (1283, 721), (97, 61)])
def test_each_head_finds_the_squares_in_pixels_of_the_frame(
    tmp_path: Path, head: str, sides: tuple[int | str, int | str], width: int, height: int
) -> None:
    yolo = Yolo(
        write_tiny_yolo(tmp_path / "m.onnx", head, sides=sides, metadata=NAMES),
        name="tiny",
        size=320,
        threshold=0.6,
        overlap=0.1,
    )
    picture = frame(width, height)
    limit = (320, 320) if isinstance(sides[0], str) else (320, int(sides[0]))
    scale = min(limit[0] / width, limit[1] / height)
    side = 2 * CELL / scale  # at least one whole cell, wherever the grid lies
    squares = {label: (width * (0.2 + 0.25 * n), height * 0.4, side, side) for n, label in enumerate(LABELS)}
    for label, box in squares.items():
        paint(picture, box, COLOURS[label])
    found = detect(yolo, picture)
    assert set(found.labels) == set(LABELS)
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    for label, centre in zip(found.labels, centres, strict=True):
        x, y, w, h = squares[label]
        assert abs(centre - (x + w / 2, y + h / 2)).max() <= CELL / scale
    assert found.boxes[:, 2:] == pytest.approx(SIDE / scale, abs=1 + SIDE / scale * 0.02)
    assert (np.diff(found.confidence) <= 0).all()
    best = OBJECTNESS if head == "v5" else 1.0
    assert found.confidence[0] == pytest.approx(best, abs=0.02)
    assert (found.landmarks is not None) == (head == "face")


def test_a_box_lies_on_its_pixel(tmp_path: Path) -> None:
    """Exactly: a frame of twice the input, with the padding of half a cell on either side."""
    yolo = Yolo(write_tiny_yolo(tmp_path / "m.onnx", "face", sides=(64, 64), metadata=NAMES), name="tiny")
    picture = frame(128, 112)  # 64x56 in the input, from y = 4
    paint(picture, (32, 56, 16, 16), COLOURS["green"])  # in the input x 16–24, y 28 + 4 to 36 + 4: one cell
    found = detect(yolo, picture)
    centre = np.array([40, 64])
    assert found.labels == ("green",)
    assert found.boxes.tolist() == [[*(centre - SIDE), 2 * SIDE, 2 * SIDE]]
    assert found.landmarks is not None
    assert found.landmarks[0].tolist() == (centre + 2 * np.array(POINTS)).tolist()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.3, 0.5, 0.95, 1.0])
def test_the_threshold_takes_effect_at_any_value(tmp_path: Path, head: str, threshold: float) -> None:
    path = write_tiny_yolo(tmp_path / "m.onnx", head, sides=(128, 128), metadata=NAMES)
    levels = np.array([0.25, 0.4, 0.6, 0.8, 1.0])
    picture = frame(128, 128)
    for number, level in enumerate(levels):
        paint(picture, (0, 24 * number, CELL, CELL), (0, 0, round(level * 255)))
    found = detect(Yolo(path, name="tiny", threshold=threshold, overlap=0.99), picture)
    expected = levels * (OBJECTNESS if head == "v5" else 1)
    reached = sorted(expected[expected >= threshold], reverse=True)
    assert found.confidence[: len(reached)] == pytest.approx(np.array(reached), abs=0.003)
    cells = (128 // CELL) ** 2
    dark = 0 if threshold > 0 else (FINAL if head == "v10" else cells) - len(levels)
    assert len(found) == len(reached) + dark
    assert (found.confidence >= threshold).all()


def test_suppression_is_within_a_class_and_takes_the_weaker(tmp_path: Path) -> None:
    path = write_tiny_yolo(tmp_path / "m.onnx", "v8", sides=(128, 128), metadata=NAMES)
    picture = frame(128, 128)
    paint(picture, (48, 48, 8, 8), COLOURS["red"])
    paint(picture, (56, 48, 8, 8), (0, 0, 200))  # of the same class, half of it on the other
    paint(picture, (48, 56, 8, 8), COLOURS["blue"])
    found = detect(Yolo(path, name="tiny", overlap=0.3), picture)
    assert sorted(found.labels) == ["blue", "red"]
    assert found.boxes[found.labels.index("red")].tolist() == [40, 40, 24, 24]
    assert len(detect(Yolo(path, name="tiny", overlap=0.6), picture)) == 3


def test_classes_with_the_same_label_are_one(tmp_path: Path) -> None:
    """As a network for the faces of women and of men: one face is one detection."""
    path = write_tiny_yolo(tmp_path / "m.onnx", "v8", sides=(128, 128))
    picture = frame(128, 128)
    paint(picture, (48, 48, 8, 8), COLOURS["red"])
    paint(picture, (48, 56, 8, 8), (0, 200, 0))
    found = detect(Yolo(path, name="tiny", overlap=0.3, labels=["face", "face", "sky"]), picture)
    assert found.labels == ("face",)
    assert found.boxes.tolist() == [[40, 40, 24, 24]]


def test_what_lies_in_the_padding_is_not_reported(tmp_path: Path) -> None:
    """Its grey is 114 of 255, which this network takes for 0.447 of every class."""
    path = write_tiny_yolo(tmp_path / "m.onnx", "v8", sides=(256, 256), metadata=NAMES)
    found = detect(Yolo(path, name="tiny", threshold=0.4, overlap=0.99), frame(256, 64))
    assert (found.boxes[:, 1] + found.boxes[:, 3] <= 64).all()
    assert len(detect(Yolo(path, name="tiny", threshold=0.45), frame(256, 64))) == 0


def test_a_fixed_size_wins_and_a_free_one_follows_the_setting_the_file_or_640(tmp_path: Path) -> None:
    fixed = write_tiny_yolo(tmp_path / "fixed.onnx", "v8", sides=(96, 160))
    free = write_tiny_yolo(tmp_path / "free.onnx", "v8")
    told = write_tiny_yolo(tmp_path / "told.onnx", "v8", metadata={"imgsz": [320, 320]})
    for path, size, expected in (
        (fixed, 640, 160),
        (free, 320, 320),
        (free, None, 640),
        (told, None, 320),
        (told, 512, 512),
        (free, 333, 333),  # no multiple of the stride: padded to one
    ):
        yolo = Yolo(path, name="tiny", size=size, threshold=0.5)
        assert yolo.wants.longer_side == expected
        assert yolo.wants.colour
        assert len(detect(yolo, frame(300, 200))) == 0


@pytest.mark.parametrize("batch", [1, "batch"])
def test_labels_come_from_the_caller_the_file_or_the_number(tmp_path: Path, batch: int | str) -> None:
    named = write_tiny_yolo(tmp_path / "named.onnx", "v8", sides=(64, 64), batch=batch, metadata=NAMES)
    listed = write_tiny_yolo(tmp_path / "list.onnx", "v8", sides=(64, 64), metadata={"names": list(LABELS)})
    bare = write_tiny_yolo(tmp_path / "bare.onnx", "v8", sides=(64, 64))
    picture = frame(64, 64)
    paint(picture, (16, 16, 8, 8), COLOURS["green"])
    assert detect(Yolo(named, name="tiny"), picture).labels == ("green",)
    assert detect(Yolo(listed, name="tiny"), picture).labels == ("green",)
    assert detect(Yolo(bare, name="tiny"), picture).labels == ("class 1",)
    assert detect(Yolo(named, name="tiny", labels=["a", "b", "c"]), picture).labels == ("b",)


def test_metadata_that_are_no_literals_are_not_run(tmp_path: Path) -> None:
    metadata = {"names": "__import__('os').abort()", "stride": "[", "imgsz": "{}"}
    path = write_tiny_yolo(tmp_path / "m.onnx", "v8", metadata=metadata)
    assert Yolo(path, name="tiny").wants.longer_side == 640


@pytest.mark.parametrize(
    "names", [{0: "a", 1: "b\x1b[2J", 2: "c"}, {0: "a", 1: "", 2: "c"}, {0: "a", 2: "c"}, ["x" * 101]]
)
def test_labels_in_the_file_that_cannot_be_shown_are_not_used(tmp_path: Path, names: object) -> None:
    path = write_tiny_yolo(tmp_path / "m.onnx", "v8", sides=(64, 64), metadata={"names": names})
    picture = frame(64, 64)
    paint(picture, (16, 16, 8, 8), COLOURS["green"])
    assert detect(Yolo(path, name="tiny"), picture).labels == ("class 1",)


def test_one_class_of_v5_is_not_taken_for_an_end_to_end_head(tmp_path: Path) -> None:
    """Six columns as well; 320x256 has more rows than such a head."""
    path = write_tiny_yolo(tmp_path / "m.onnx", "v5", sides=(256, 320), classes=1)
    picture = frame(320, 256)
    paint(picture, (80, 80, 8, 8), COLOURS["red"])
    found = detect(Yolo(path, name="tiny"), picture)
    assert found.boxes.tolist() == [[72, 72, 24, 24]]
    assert found.confidence == pytest.approx(OBJECTNESS, abs=0.01)


def test_the_model_is_named_with_its_digest(tmp_path: Path) -> None:
    one = Yolo(write_tiny_yolo(tmp_path / "1.onnx", "v8", sides=(64, 64)), name="people")
    two = Yolo(write_tiny_yolo(tmp_path / "2.onnx", "v5", sides=(64, 64)), name="people")
    assert one.name == two.name == "people"
    assert one.model.startswith("people@")
    assert len(one.model) == len("people@") + 8
    assert one.model != two.model


def test_a_reduced_picture_gives_the_same_boxes(tmp_path: Path) -> None:
    yolo = Yolo(write_tiny_yolo(tmp_path / "m.onnx", "v8", metadata=NAMES), name="tiny", size=160)
    picture = frame(1280, 1024)
    paint(picture, (640, 320, 64, 64), COLOURS["blue"])
    data = encoded(picture, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 95])
    reduced, whole = decode(data, yolo.wants), decode(data)
    assert reduced.pixels.shape[:2] == (128, 160)
    expected = [[672 - 96, 352 - 96, 192, 192]]
    assert yolo.detect(reduced).boxes.tolist() == yolo.detect(whole).boxes.tolist() == expected


def test_labels_that_are_not_its_classes_are_refused(tmp_path: Path) -> None:
    for head in ("v5", "v8"):
        path = write_tiny_yolo(tmp_path / f"{head}.onnx", head, sides=(64, 64))
        with pytest.raises(ModelMismatch, match="3 classes, but there are 2 labels"):
            Yolo(path, name="tiny", labels=["a", "b"])
    named = write_tiny_yolo(tmp_path / "named.onnx", "v8", sides=(64, 64), metadata=NAMES)
    with pytest.raises(ModelMismatch, match="2 labels are given, but it has 3 classes: red, green, blue"):
        Yolo(named, name="tiny", labels=["a", "b"])
