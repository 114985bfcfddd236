"""A tiny ONNX model with YuNet's inputs and outputs that finds bright squares, made on the spot.

Machines without the internet have no YuNet; this drives the same code, and where its boxes must be is known:
every cell of stride 8 whose mean brightness is over one half is a "face" of 24x24 pixels around its centre.
With `over` above 1 it loads, runs and finds nothing in any picture.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 24.0


def write_tiny_yunet(path: Path, over: float = 0.5) -> Path:
    """Write the model; returns its path. A cell must be brighter than `over`; over 1 none is, and it finds nothing."""
    nodes, initializers, outputs = [], [], []

    def constant(name: str, value: np.ndarray) -> str:
        initializers.append(numpy_helper.from_array(value, name))
        return name

    flat1 = constant("flat1", np.array([1, -1, 1], np.int64))
    constant("scale", np.array(1 / 255, np.float32))
    constant("axes", np.array([1], np.int64))
    constant("bound", np.array(over, np.float32))
    nodes.append(helper.make_node("ReduceMean", ["input", "axes"], ["grey"], keepdims=1))
    nodes.append(helper.make_node("Mul", ["grey", "scale"], ["unit"]))
    for stride in (8, 16, 32):
        s = str(stride)
        nodes.append(
            helper.make_node(
                "AveragePool", ["unit"], [f"pool_{s}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        if stride == 8:
            nodes.append(helper.make_node("Greater", ["pool_8", "bound"], ["over"]))
            nodes.append(helper.make_node("Cast", ["over"], ["sure_8"], to=TensorProto.FLOAT))
        else:  # the other heads see nothing
            nodes.append(helper.make_node("Sub", [f"pool_{s}", f"pool_{s}"], [f"sure_{s}"]))
        nodes.append(helper.make_node("Reshape", [f"sure_{s}", flat1], [f"cls_{s}"]))
        nodes.append(helper.make_node("Identity", [f"cls_{s}"], [f"obj_{s}"]))
        nodes.append(helper.make_node("Sub", [f"cls_{s}", f"cls_{s}"], [f"zero_{s}"]))
        # Centre of the cell, and the logarithm of the side in strides (the detector takes exp(bbox) * stride).
        centre = np.array([[[0.5, 0.5, *[np.log(SIDE / stride)] * 2]]], np.float32)
        nodes.append(helper.make_node("Add", [f"zero_{s}", constant(f"box_{s}", centre)], [f"bbox_{s}"]))
        points = np.full((1, 1, 10), 0.5, np.float32)
        nodes.append(helper.make_node("Add", [f"zero_{s}", constant(f"point_{s}", points)], [f"kps_{s}"]))
        for head, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            outputs.append(
                helper.make_tensor_value_info(f"{head}_{s}", TensorProto.FLOAT, [1, f"n_{s}", size])
            )
    source = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    graph = helper.make_graph(nodes, "tiny_yunet", [source], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
