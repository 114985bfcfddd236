"""Finds out whether ONNX Runtime computes on an NVIDIA GPU here. Trying is the only way to know."""

import numpy as np
import onnxruntime as ort

from worker.detection.onnx_session import CUDA, session

CPU_BUILD = (
    "the ONNX Runtime here is built for the CPU only: install requirements/worker-gpu.txt instead of worker.txt, or "
    "use the image framefleet/cv-worker-gpu"
)
NOT_STARTED = (
    "CUDA does not start: is there an NVIDIA driver for the CUDA version in requirements/worker-gpu.txt (`nvidia-smi` "
    "tells), and was the GPU given to this container or process?"
)


def gpu_missing() -> str | None:
    """Say in a sentence why ONNX Runtime cannot compute on a GPU here; None if it can.

    That the provider is listed says nothing: it comes with the package. A small convolution is computed, which needs
    the driver, a GPU and the libraries of CUDA and cuDNN. What exactly is missing ONNX Runtime writes to stderr.
    """
    if CUDA not in ort.get_available_providers():
        return CPU_BUILD
    ort.preload_dlls(directory="")  # those of the nvidia-* packages, which are on no search path
    try:
        trial = session(_convolution(), gpu=True)
        trial.run(None, {"x": np.ones((1, 1, 3, 3), np.float32)})
    except Exception as error:  # ONNX Runtime's errors share no base class
        return f"{NOT_STARTED} ({error})"
    return None


def _convolution() -> bytes:
    """A model of one convolution: the operator that everything here is made of, and that needs cuDNN."""
    import onnx  # the extra worker-gpu alone brings it
    from onnx import TensorProto, helper

    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3, 3])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 1])
    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1, 1, 3, 3], [1.0] * 9)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "kernel"], ["y"])], "trial", [source], [output], [kernel]
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    return bytes(model.SerializeToString())
