"""A network that was exported for one picture computes several, and each as it does alone."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.helpers.components import real_yunet
from tests.helpers.images import astronaut, encoded, jpeg
from tests.helpers.tiny_yolo import write_tiny_yolo
from tests.helpers.tiny_yunet import write_tiny_yunet
from worker.detection import DecodedImage, Detections, decode, yunet_network
from worker.detection import any_batch as any_batch_module
from worker.detection.any_batch import any_batch, batch_session, by_size
from worker.detection.detector import Detector, detect_many, warm_up
from worker.detection.errors import ModelMismatch
from worker.detection.onnx_session import session
from worker.detection.yolo import Yolo
from worker.detection.yunet import YuNet

SHAPES = ((256, 320), (480, 640), (256, 320), (320, 256), (721, 1283), (1, 1))


@pytest.fixture(params=["tiny", "yunet"])
def yunet_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The tiny model, and the real one where there is one."""
    if request.param == "tiny":
        return write_tiny_yunet(tmp_path / "tiny.onnx")
    return real_yunet()


def noise(count: int, shape: tuple[int, ...] = (256, 320)) -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(0, 255, (count, 3, *shape)).astype(np.float32)


def pictures() -> list[DecodedImage]:
    """Of several sizes, with a bright square each somewhere else, and two faces."""
    made = []
    for number, (height, width) in enumerate(SHAPES):
        pixels = np.zeros((height, width, 3), np.uint8)
        x, y = width * (1 + number) // 8, height // 3
        pixels[y : y + height // 6, x : x + width // 6] = 255
        made.append(decode(encoded(pixels, ".png")))
    return [decode(jpeg(astronaut())), *made, decode(jpeg(np.ascontiguousarray(astronaut()[:400, ::-1])))]


def same(one: Detections, other: Detections) -> None:
    assert one.labels == other.labels
    assert one.boxes.tolist() == other.boxes.tolist()
    assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
    assert (one.landmarks is None) == (other.landmarks is None)
    if one.landmarks is not None and other.landmarks is not None:
        assert one.landmarks.tolist() == other.landmarks.tolist()


def test_the_changed_network_gives_the_same_numbers(yunet_file: Path) -> None:
    data = yunet_file.read_bytes()
    several, single = session(any_batch(data)), session(data)
    for count in (1, 2, 5):
        blob = noise(count)
        together = several.run(None, {"input": blob})
        for number in range(count):
            alone = single.run(None, {"input": blob[number : number + 1]})
            for both, one in zip(together, alone, strict=True):
                assert np.array_equal(both[number : number + 1], one)


def test_the_file_itself_takes_one_picture_only(yunet_file: Path) -> None:
    """Otherwise nothing would have to be changed."""
    with pytest.raises(Exception, match="invalid dimensions"):
        session(yunet_file).run(None, {"input": noise(2)})


def network(nodes: list[onnx.NodeProto], constants: dict[str, NDArray[np.generic]]) -> bytes:
    source = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    values = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", [source], [output], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def test_a_network_that_mixes_its_pictures_is_not_used_for_several() -> None:
    """It would run, and find in one picture what is in another."""
    mean = network(
        [
            helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=1),
            helper.make_node("Sub", ["input", "mean"], ["output"]),
        ],
        {"axes": np.array([0, 2, 3], np.int64)},
    )
    assert session(any_batch(mean)).run(None, {"input": noise(2)})[0].shape == (2, 3, 256, 320)
    assert batch_session(mean) is None


def test_a_network_whose_batch_is_fixed_elsewhere_is_not_used_for_several() -> None:
    fixed = network(
        [helper.make_node("Expand", ["one", "shape"], ["x"]), helper.make_node("Reshape", ["input", "x2"], ["r"]),
         helper.make_node("Gather", ["r", "first"], ["output"], axis=0)],
        {
            "one": np.ones(1, np.float32),
            "shape": np.array([1], np.int64),
            "x2": np.array([1, 3, -1], np.int64),
            "first": np.array([0], np.int64),
        },
    )  # fmt: skip
    assert batch_session(fixed) is None


def test_what_is_no_network_is_not_used_for_several() -> None:
    with pytest.raises(ModelMismatch):
        session(b"not a model")
    assert batch_session(network([], {})) is None


def test_pictures_of_a_size_go_together() -> None:
    sizes = [(4, 6), (6, 4), (4, 6), (5, 5), (6, 4)]
    groups = by_size([np.zeros((*size, 3), np.uint8) for size in sizes])
    assert [list(group) for group in groups] == [[0, 2], [1, 4], [3]]


@pytest.mark.parametrize("size", [320, 640])
def test_yunet_finds_together_what_it_finds_alone(yunet_file: Path, size: int) -> None:
    several = YuNet(yunet_file, size=size, threshold=0.5, several=True)
    alone = YuNet(yunet_file, size=size, threshold=0.5)
    assert several.together
    assert several.model == alone.model
    check(several, alone)


@pytest.mark.parametrize("several", [True, False])
def test_yunet_for_a_gpu_finds_the_same(
    yunet_file: Path, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its way of running is another one. Here on the CPU: only the session is not what it asks for."""
    asked = []

    def cpu(model: bytes, *, gpu: bool = False) -> object:
        asked.append(gpu)
        return session(model)

    for module in (any_batch_module, yunet_network):
        monkeypatch.setattr(module, "session", cpu)
    gpu = YuNet(yunet_file, threshold=0.5, gpu=True, several=several)
    assert gpu.together is several
    assert all(asked)
    check(gpu, YuNet(yunet_file, threshold=0.5))


@pytest.mark.parametrize(
    ("head", "batch", "together"),
    [
        ("v5", "batch", True),
        ("v8", "batch", True),
        ("face", "batch", True),
        ("v8", 1, False),
        # This tiny one gathers from all of its pictures, whatever its shapes promise.
        (
            "v10",
            "batch",
            False,
        ),
    ],
)
def test_yolo_finds_together_what_it_finds_alone(
    tmp_path: Path, head: str, batch: int | str, together: bool
) -> None:
    names = {"names": {0: "red", 1: "green", 2: "blue"}}
    path = write_tiny_yolo(tmp_path / "m.onnx", head, batch=batch, metadata=names)
    several = Yolo(path, name="tiny", size=320, several=True)
    assert several.together is together
    check(several, Yolo(path, name="tiny", size=320))


def check(several: Detector, alone: Detector) -> None:
    images = pictures()
    expected = [alone.detect(image) for image in images]
    assert sum(len(found) > 0 for found in expected) >= 2
    for image, one in zip(images, expected, strict=True):
        same(several.detect(image), one)
    for found, one in zip(detect_many(several, images), expected, strict=True):
        same(found, one)
    for found, one in zip(detect_many(several, images[::-1]), expected[::-1], strict=True):
        same(found, one)  # nothing of the last batch is left in a buffer
    warm_up(several, 16)
