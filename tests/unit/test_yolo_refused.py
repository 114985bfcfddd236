"""ONNX files that are no YOLO-style network are refused at load, with what was found and what is expected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.helpers.tiny_yolo import write_model, write_tiny_yolo
from tests.helpers.tiny_yunet import write_tiny_yunet
from worker.detection.errors import ModelMismatch
from worker.detection.yolo import Yolo
from worker.detection.yolo_head import HeadFamily, YoloHead, grid_cells, recognise

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
PICTURE = (1, 3, 64, 64)


def source(name: str, kind: int, shape: tuple[int, ...]) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def constant_model(
    path: Path, shape: tuple[int, ...], *, fill: float = 0.5, kind: int = FLOAT, inputs: tuple[Any, ...] = ()
) -> Path:
    """A model whose output is the same array whatever comes in."""
    value = numpy_helper.from_array(np.full(shape, fill, np.float32), "value")
    nodes = [helper.make_node("Cast", ["value"], ["output0"], to=kind)]
    given = inputs or (source("images", FLOAT, PICTURE),)
    return write_model(path, nodes, given, [("output0", kind, len(shape))], [value])


def two_outputs(path: Path) -> Path:
    nodes = [helper.make_node("Identity", ["images"], [name]) for name in ("boxes", "scores")]
    outputs = [("boxes", FLOAT, 4), ("scores", FLOAT, 4)]
    return write_model(path, nodes, [source("images", FLOAT, PICTURE)], outputs)


def needs_other_sides(path: Path) -> Path:
    """Takes any size by its declaration, and fails on every one but 48x48."""
    nodes = [helper.make_node("Reshape", ["images", "shape"], ["output0"])]
    shape = numpy_helper.from_array(np.array([1, 3, 48 * 48]), "shape")
    given = helper.make_tensor_value_info("images", FLOAT, [1, 3, "height", "width"])
    return write_model(path, nodes, [given], [("output0", FLOAT, 3)], [shape])


def no_model(path: Path) -> Path:
    path.write_bytes(b"<html>404</html>")
    return path


V8 = (1, 7, 84)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (no_model, "ONNX Runtime cannot load the model"),
        (
            write_tiny_yunet,
            r"1 inputs and 12 outputs .*input tensor\(float\) 1x3xheightxwidth.*expected one picture",
        ),
        (two_outputs, "1 inputs and 2 outputs"),
        (
            lambda path: constant_model(
                path, V8, inputs=(source("images", FLOAT, PICTURE), source("sizes", FLOAT, (1, 2)))
            ),
            r"2 inputs and 1 outputs .*sizes tensor\(float\) 1x2",
        ),
        (
            lambda path: constant_model(path, V8, inputs=(source("ids", INT64, PICTURE),)),
            r"its input is ids tensor\(int64\) 1x3x64x64: expected tensor\(float\) with 1x3xHEIGHTxWIDTH",
        ),
        (
            lambda path: constant_model(path, V8, inputs=(source("images", FLOAT, (3, 64, 64)),)),
            "its input is images .* 3x64x64: expected",
        ),
        (
            lambda path: constant_model(path, V8, inputs=(source("images", FLOAT, (1, 64, 64, 3)),)),
            "its input is images .* 1x64x64x3: expected",
        ),
        (
            lambda path: constant_model(path, V8, inputs=(source("images", FLOAT, (4, 3, 64, 64)),)),
            "its input is images .* 4x3x64x64: expected",
        ),
        (lambda path: constant_model(path, V8, kind=INT64), r"its output is output0 tensor\(int64\)"),
        (lambda path: constant_model(path, (1, 1000)), "its output is 1x1000: expected 1xNx"),
        (lambda path: constant_model(path, (1, 3, 8, 8, 85)), "its output is 1x3x8x8x85: expected 1xNx"),
        (lambda path: constant_model(path, (2, 7, 84)), "its output is 2x7x84: expected 1xNx"),
        (lambda path: constant_model(path, (1, 4, 84)), "its output is 1x4x84: expected 1xNx"),
        (lambda path: constant_model(path, (1, 84, 84)), "its output is 1x84x84: expected 1xNx"),
        (lambda path: constant_model(path, V8, fill=-4.6), "not between 0 and 1: export it with the sigmoid"),
        (lambda path: constant_model(path, V8, fill=np.nan), "not between 0 and 1"),
        (needs_other_sides, "does not run on a picture of 640x640"),
    ],
)
def test_another_model_is_refused_and_says_what_was_found(
    tmp_path: Path, write: Callable[[Path], Path], sentence: str
) -> None:
    with pytest.raises(ModelMismatch, match=sentence):
        Yolo(write(tmp_path / "model.onnx"), name="other")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Yolo(tmp_path / "none.onnx", name="none")


def head(
    *shape: int, side: int = 640, classes: int | None = None, keypoints: tuple[int, int] | None = None
) -> YoloHead:
    return recognise(shape, cells=grid_cells(side, side), classes=classes, keypoints=keypoints)


def test_the_shapes_that_exporters_write() -> None:
    """At 640x640, and YOLOv5 with one class at 64x64, which has fewer rows than an end-to-end head may."""
    assert head(1, 25200, 85) == YoloHead(HeadFamily.OBJECTNESS, 80)
    assert head(1, 25200, 6) == YoloHead(HeadFamily.OBJECTNESS, 1)
    assert head(1, 252, 6, side=64) == head(1, 84, 6, side=64) == YoloHead(HeadFamily.OBJECTNESS, 1)
    assert head(1, 8400, 85, classes=80) == YoloHead(HeadFamily.OBJECTNESS, 80)
    assert head(1, 84, 8400, classes=80) == YoloHead(HeadFamily.CLASSES, 80)
    assert head(1, 5, 8400) == YoloHead(HeadFamily.CLASSES, 1)
    assert head(1, 300, 6) == head(1, 300, 6, classes=80) == head(1, 0, 6) == YoloHead(HeadFamily.FINAL)
    assert head(1, 20, 8400, classes=1) == YoloHead(HeadFamily.CLASSES, 1, points=3)
    assert head(1, 20, 8400) == head(1, 20, 8400, classes=16) == YoloHead(HeadFamily.CLASSES, 16)
    assert head(1, 15, 8400, classes=1, keypoints=(5, 2)) == YoloHead(HeadFamily.CLASSES, 1, points=2)
    # A body, not a face.
    assert head(1, 56, 8400, classes=1, keypoints=(17, 3)) == YoloHead(HeadFamily.CLASSES, 1)


@pytest.mark.parametrize(
    ("shape", "classes", "keypoints", "sentence"),
    [
        # Segmentation.
        (
            (1, 116, 8400),
            80,
            None,
            "1x116x8400, which is 112 classes, but there are 80 labels",
        ),
        ((1, 25200, 16), 1, None, "which is 11 classes, but there are 1 labels"),  # YOLOv5-face
        ((1, 25200, 21), 1, (5, 3), "with keypoints: only"),
        ((1, 19, 8400), None, (5, 3), "1x19x8400: expected"),
        ((1, 8400), 80, None, "1x8400: expected"),
    ],
)
def test_shapes_that_are_no_head(
    shape: tuple[int, ...], classes: int | None, keypoints: tuple[int, int] | None, sentence: str
) -> None:
    with pytest.raises(ModelMismatch, match=sentence):
        head(*shape, classes=classes, keypoints=keypoints)


def test_a_face_network_needs_its_label_or_its_metadata_to_have_landmarks(tmp_path: Path) -> None:
    """Without either, 15 more channels could as well be classes."""
    bare = write_tiny_yolo(tmp_path / "bare.onnx", "face", sides=(64, 64), classes=1)
    told = write_tiny_yolo(
        tmp_path / "told.onnx",
        "face",
        sides=(64, 64),
        classes=1,
        metadata={"names": {0: "face"}, "kpt_shape": [5, 3]},
    )
    with pytest.raises(ModelMismatch, match="not between 0 and 1"):
        Yolo(bare, name="bare")
    with pytest.raises(ModelMismatch, match="which is 16 classes, but there are 2 labels"):
        Yolo(bare, name="bare", labels=["face", "hand"])
    Yolo(bare, name="bare", labels=["face"])
    Yolo(told, name="told")
