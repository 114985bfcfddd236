"""Tiny ONNX models with the heads of the YOLO family that find coloured squares, made on the spot.

What they must find is known: every cell of 8x8 pixels of the input is a candidate, a box of `SIDE` around its centre,
whose class scores are the cell's mean red, green and blue. A red square is thus of class 0 only if the input came as
RGB, and as confident as it is bright only if it came as 0–1.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

CELL = 8
SIDE = 24.0
OBJECTNESS = 0.9
FINAL = 20
"""Rows of the end-to-end head."""
POINTS = ((-6, -4), (6, -4), (0, 0), (-4, 6), (4, 6))
"""Keypoints, in pixels of the input from the centre of the box."""

HEADS = ("v5", "v8", "face", "v10")


def write_tiny_yolo(
    path: Path,
    head: str,
    *,
    sides: tuple[int | str, int | str] = ("height", "width"),
    classes: int = 3,
    batch: int | str = "batch",
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write a model with that head; returns its path. `sides` are the input's height and width, fixed or free.

    `face` is v8 with five keypoints of three numbers. `classes` is 1 to 3: red, green, blue. Metadata are written
    as Ultralytics' exporters do, each as the text of a Python value.
    """
    graph = _Graph()
    channels = graph.constant(np.arange(classes))
    graph.node("Gather", ["images", channels], "picked", axis=1)
    graph.node("AveragePool", ["picked"], "scores", kernel_shape=[CELL] * 2, strides=[CELL] * 2)
    graph.node("Slice", ["scores", *(graph.constant([n]) for n in (0, 1, 1))], "one")
    graph.node("Sub", ["one", "one"], "zeros")
    graph.node("Add", ["zeros", graph.constant(np.float32(1))], "ones")
    graph.centre("x", axis=3)
    graph.centre("y", axis=2)
    graph.node("Add", ["zeros", graph.constant(np.float32(SIDE))], "side")
    if head == "v10":
        _final(graph)
    else:
        rows = ["x", "y", "side", "side", *(["sure"] if head == "v5" else []), "scores"]
        graph.node("Mul", ["ones", graph.constant(np.float32(OBJECTNESS))], "sure")
        if head == "face":
            rows += graph.keypoints()
        graph.node("Concat", rows, "planes", axis=1)
        graph.node("Reshape", ["planes", graph.constant([0, 0, -1])], "list")
        graph.node("Transpose" if head == "v5" else "Identity", ["list"], "output0",
                   **({"perm": [0, 2, 1]} if head == "v5" else {}))  # fmt: skip
    source = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, *sides])
    return write_model(
        path, graph.nodes, [source], [("output0", TensorProto.FLOAT, 3)], graph.values, metadata
    )


def write_model(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Sequence[Any],
    outputs: Sequence[tuple[str, int, int]],
    values: Sequence[Any] = (),
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write a model from nodes, inputs, and outputs (name, type, rank); returns its path."""
    declared = [
        helper.make_tensor_value_info(name, kind, [f"{name}_{axis}" for axis in range(rank)])
        for name, kind, rank in outputs
    ]
    graph = helper.make_graph(list(nodes), "tiny_yolo", list(inputs), declared, list(values))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.values: list[Any] = []

    def constant(self, value: Any) -> str:
        array: NDArray[Any] = np.asarray(value)
        name = f"constant_{len(self.values)}"
        self.values.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def centre(self, name: str, *, axis: int) -> None:
        """The centres of the cells along an axis, in pixels: (count - 1/2) * CELL."""
        self.node("CumSum", ["ones", self.constant(np.int64(axis))], f"{name}_count")
        self.node("Sub", [f"{name}_count", self.constant(np.float32(0.5))], f"{name}_cell")
        self.node("Mul", [f"{name}_cell", self.constant(np.float32(CELL))], name)

    def keypoints(self) -> list[str]:
        planes = []
        for number, point in enumerate(POINTS):
            for axis, offset in zip("xy", point, strict=True):
                planes.append(
                    self.node("Add", [axis, self.constant(np.float32(offset))], f"point_{number}_{axis}")
                )
            planes.append("ones")
        return planes


def _final(graph: _Graph) -> None:
    """The best `FINAL` cells as rows of corners, score and class."""
    half = graph.constant(np.float32(SIDE / 2))
    corners = [graph.node(kind, [axis, half], f"{kind}_{axis}") for kind in ("Sub", "Add") for axis in "xy"]
    graph.node("ReduceMax", ["scores", graph.constant([1])], "best", keepdims=1)
    graph.node("ArgMax", ["scores"], "number", axis=1, keepdims=1)
    graph.node("Cast", ["number"], "class", to=TensorProto.FLOAT)
    graph.node("Concat", [*corners, "best", "class"], "planes", axis=1)
    graph.node("Reshape", ["planes", graph.constant([0, 0, -1])], "list")
    graph.node("Transpose", ["list"], "rows", perm=[0, 2, 1])
    graph.node("Reshape", ["best", graph.constant([-1])], "flat")
    graph.nodes.append(helper.make_node("TopK", ["flat", graph.constant([FINAL])], ["top", "index"]))
    graph.node("Gather", ["rows", "index"], "output0", axis=1)
