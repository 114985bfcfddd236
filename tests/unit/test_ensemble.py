"""Several detectors as one: decoded once, merged, named after all of them."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.images import FACE, astronaut, encoded, iou, jpeg
from tests.helpers.tiny_yolo import write_tiny_yolo
from tests.helpers.tiny_yunet import write_tiny_yunet
from worker.detection import DecodedImage, Detections, Wants
from worker.detection.ensemble import Ensemble
from worker.detection.haar import Haar
from worker.detection.image import decode
from worker.detection.yolo import Yolo
from worker.detection.yunet import YuNet


class Fixed:
    """Finds the same every time, and keeps what it was given."""

    def __init__(self, name: str, wants: Wants, found: Detections) -> None:
        self.name, self.model, self.wants = name, f"{name}@00000000", wants
        self.found = found
        self.seen: list[DecodedImage] = []

    def detect(self, image: DecodedImage) -> Detections:
        self.seen.append(image)
        return self.found


class Broken(Fixed):
    def detect(self, image: DecodedImage) -> Detections:
        raise RuntimeError("out of order")


def face(x: float, confidence: float) -> Detections:
    return Detections(np.array([[x, 20, 40, 40]], np.float32), np.array([confidence], np.float32), ("face",))


GREY, SMALL = Wants(longer_side=None, colour=False), Wants(longer_side=320, colour=True)
IMAGE = DecodedImage(np.zeros((100, 100, 3), np.uint8), 100, 100)


@pytest.mark.parametrize(("strategy", "suffix"), [("all", ":all"), ("best", ""), ("vote", ":vote")])
def test_it_is_named_as_it_is_asked_for(strategy: str, suffix: str) -> None:
    both = Ensemble([Fixed("a", GREY, face(10, 0.5)), Fixed("b", SMALL, face(10, 0.5))], strategy)
    assert both.name == f"a,b{suffix}"
    assert both.model == f"a@00000000,b@00000000{suffix}"


def test_one_picture_serves_all() -> None:
    one, two = Fixed("a", GREY, face(10, 0.5)), Fixed("b", SMALL, face(10, 0.5))
    both = Ensemble([one, two], "best")
    assert both.wants == Wants(longer_side=None, colour=True)
    both.detect(IMAGE)
    assert one.seen[0] is two.seen[0] is IMAGE


def test_boxes_of_a_vote_are_whole_pixels_of_the_frame() -> None:
    found = Ensemble([Fixed("a", SMALL, face(71, 0.5)), Fixed("b", SMALL, face(70, 0.9))], "vote").detect(
        IMAGE
    )
    assert found.boxes.tolist() == [[70, 20, 30, 40]]  # 70.36, and clipped at 100
    assert found.confidence.tolist() == pytest.approx([0.7])


def test_one_that_raises_fails_the_frame() -> None:
    both = Ensemble([Fixed("a", SMALL, face(1, 0.5)), Broken("b", SMALL, face(1, 0.5))], "all")
    with pytest.raises(RuntimeError, match="out of order"):
        both.detect(IMAGE)


def test_one_detector_is_no_ensemble_and_the_strategy_must_be_known() -> None:
    one = Fixed("a", SMALL, face(1, 0.5))
    with pytest.raises(ValueError, match="two detectors or more, not 1"):
        Ensemble([one], "all")
    with pytest.raises(ValueError, match="'median' is not a merge strategy"):
        Ensemble([one, one], "median")


def test_real_detectors_together(tmp_path: Path) -> None:
    """Haar on grey, the tiny networks on colour: Haar's face is in what they find together."""
    tiny = YuNet(write_tiny_yunet(tmp_path / "yunet.onnx"))
    squares = Yolo(
        write_tiny_yolo(tmp_path / "yolo.onnx", "v8", sides=(256, 256)), name="squares", threshold=0.9
    )
    everything = Ensemble([Haar(), tiny, squares], "all")
    image = decode(jpeg(astronaut()), everything.wants)
    found = everything.detect(image)
    assert len(found) == sum(len(each.detect(image)) for each in (Haar(), tiny, squares))
    faces = [box for box, label in zip(found.boxes.tolist(), found.labels, strict=True) if label == "face"]
    assert max(iou(tuple(box), FACE) for box in faces) >= 0.5
    assert found.landmarks is not None
    assert {True, False} == set(np.isnan(found.landmarks[:, 0, 0]).tolist())


def test_the_same_squares_found_by_two_heads_pass_a_vote(tmp_path: Path) -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[32:40, 48:56] = (0, 0, 255)
    picture[96:104, 16:24] = (0, 0, 128)  # half as bright: v5 multiplies with its objectness
    labels = ("red", "green", "blue")
    v8, v5 = (
        Yolo(
            write_tiny_yolo(tmp_path / f"{head}.onnx", head, sides=(128, 128)),
            name=head,
            threshold=0.48,
            labels=labels,
        )
        for head in ("v8", "v5")
    )
    both = Ensemble([v8, v5], "vote")
    found = both.detect(decode(encoded(picture, ".png"), both.wants))
    assert found.boxes.tolist() == [[40, 24, 24, 24]]
    assert found.labels == ("red",)
    assert found.confidence.tolist() == pytest.approx([0.95], abs=0.001)
