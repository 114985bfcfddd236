"""Models that somebody else made are loaded in a process of their own first, and harm nobody."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from contract.models import ModelSpec
from tests.helpers.tiny_yolo import write_tiny_yolo
from worker import loader
from worker.isolation import try_model
from worker.loader import DetectorLoader
from worker.models import ModelEntry, ModelUnavailable, Registry
from worker.settings import WorkerSettings

ENTRY = ModelEntry("odd", "yolo", "object", filename="odd.onnx")


def settings(folder: Path) -> WorkerSettings:
    return WorkerSettings(detector="haar", model_dir=folder, model_cache=folder / "cache")


def tried(path: Path, timeout: float = 60.0) -> str | None:
    return try_model(settings(path.parent), ENTRY, str(path), timeout=timeout)


def write(path: Path, nodes: Sequence[Any], values: Sequence[Any] = (), **domains: int) -> Path:
    """A network from `images` to `output0` of such nodes; it need not be one that any checker accepts."""
    source = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "odd", [source], [output], list(values))
    versions = [helper.make_opsetid("", 18), *(helper.make_opsetid(*each) for each in domains.items())]
    path.write_bytes(helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString())
    return path


def constant(name: str, value: object) -> Any:
    return numpy_helper.from_array(np.asarray(value), name)


def looping(path: Path) -> Path:
    """A loop of as many rounds as there are whole numbers."""
    rounds = [
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("i", TensorProto.INT64), ("on", TensorProto.BOOL), ("x", TensorProto.FLOAT))
    ]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["on"], ["on_out"]),
            helper.make_node("Add", ["x", "x"], ["x_out"]),
        ],
        "body",
        rounds,
        [
            helper.make_tensor_value_info("on_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", TensorProto.FLOAT, []),
        ],
    )
    return write(
        path,
        [
            helper.make_node("ReduceMax", ["images"], ["x0"], keepdims=0),
            helper.make_node("Loop", ["count", "yes", "x0"], ["output0"], body=body),
        ],
        [constant("count", np.int64(2**62)), constant("yes", np.bool_(True))],
    )


def greedy(path: Path) -> Path:
    """64 GiB of zeros."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceMax", ["images"], ["x"], keepdims=0),
        helper.make_node("Add", ["zeros", "x"], ["output0"]),
    ]
    return write(path, nodes, [constant("shape", np.array([2**34], np.int64))])


def elsewhere(path: Path, location: str) -> Path:
    """Weights that are in another file."""
    weights = numpy_helper.from_array(np.ones(1, np.float32), "weights")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "4")):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    return write(path, [helper.make_node("Mul", ["images", "weights"], ["output0"])], [weights])


def test_a_good_model_is_taken(tmp_path: Path) -> None:
    assert tried(write_tiny_yolo(tmp_path / "odd.onnx", "v8")) is None


def test_one_that_loops_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    assert tried(looping(tmp_path / "odd.onnx"), 5.0) == (
        "no answer within 5 s, tried in a process of its own"
    )
    assert time.monotonic() - started < 15


def test_one_that_eats_memory_is_refused(tmp_path: Path) -> None:
    assert "alloc" in (tried(greedy(tmp_path / "odd.onnx")) or "").lower()


@pytest.mark.parametrize("location", ["beside.bin", "../../../../etc/passwd", "/etc/passwd", "etc/passwd"])
def test_weights_in_other_files_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "beside.bin").write_bytes(bytes(4))
    assert tried(elsewhere(tmp_path / "odd.onnx", location))


def test_operators_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    node = helper.make_node("Run", ["images"], ["output0"], domain="evil")
    assert "evil" in (tried(write(tmp_path / "odd.onnx", [node], evil=1)) or "")


def test_no_worker_loads_what_was_refused_and_each_file_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_harmless", set())
    path = write_tiny_yolo(tmp_path / "odd.onnx", "v8")
    asked: list[str] = []
    now = 0.0

    def trial(settings: WorkerSettings, entry: ModelEntry, path: str) -> str | None:
        asked.append(path)
        return "it loops" if len(asked) == 1 else None

    monkeypatch.setattr(loader, "build_detector", lambda *_: pytest.fail("it was loaded"))
    registry = Registry({"odd": ENTRY})
    loads = DetectorLoader(settings(tmp_path), registry, lambda: now, trial)
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match=r"model odd: .*odd.onnx does not load: it loops"):
            loads.load(ModelSpec(("odd",)))
    assert asked == [str(path)]
    now = 61.0
    monkeypatch.undo()
    assert loads.load(ModelSpec(("odd",))).name == "odd"
    DetectorLoader(settings(tmp_path), registry, lambda: now, trial).load(ModelSpec(("odd",)))
    assert len(asked) == 2


def test_ours_need_no_trial_whatever_they_are_called(tmp_path: Path, yunet_file: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(yunet_file.read_bytes())
    entry = replace(ENTRY, name="mine", kind="yunet", filename="mine.onnx")
    loads = DetectorLoader(
        settings(tmp_path), Registry({"mine": entry}), trial=lambda *_: pytest.fail("it was tried")
    )
    assert loads.load(ModelSpec(("mine",))).name == "mine"


def test_the_models_of_these_tests_are_what_they_say(tmp_path: Path) -> None:
    """That a file is refused proves nothing if it is rubbish."""
    assert onnx.load(str(looping(tmp_path / "a.onnx"))).graph.node[1].op_type == "Loop"
    (tmp_path / "beside.bin").write_bytes(np.ones(1, np.float32).tobytes())
    loaded = onnx.load(str(elsewhere(tmp_path / "b.onnx", "beside.bin")))
    assert numpy_helper.to_array(loaded.graph.initializer[0]) == 1
