"""An ONNX Runtime session as one worker process uses it, on the CPU or on an NVIDIA GPU."""

from pathlib import Path

import onnxruntime as ort

from worker.detection.errors import GpuUnavailable, ModelMismatch

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

# https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
CUDA_OPTIONS = {
    # The default tries all algorithms for every new shape of the input, for up to a second each; the number of
    # pictures in a batch changes all the time (microsoft/onnxruntime issues 709, 19838).
    "cudnn_conv_algo_search": "HEURISTIC",
    # Numbers with ten bits after the point would move confidences by more than 0.01.
    "use_tf32": "0",
}

ort.disable_telemetry_events()  # nothing leaves the operator's machine


def session(model: Path | bytes, *, gpu: bool = False) -> ort.InferenceSession:
    """Load an ONNX model for one thread of the CPU, or for the GPU.

    Raises ModelMismatch if ONNX Runtime cannot load it, OSError if the file cannot be read, GpuUnavailable if the
    GPU is wanted and ONNX Runtime would quietly compute on the CPU instead.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # one process per core: more threads would only fight
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    data = model if isinstance(model, bytes) else model.read_bytes()
    providers = [(CUDA, CUDA_OPTIONS), CPU] if gpu else [CPU]
    try:
        # Without its fallback: a GPU that fails later must be an error, not a session that moved to the CPU.
        loaded = ort.InferenceSession(data, options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise ModelMismatch(f"ONNX Runtime cannot load the model: {error}") from error
    if gpu and CUDA not in loaded.get_providers():  # a missing driver or library is only logged
        raise GpuUnavailable("ONNX Runtime could not start CUDA and offers the CPU instead")
    return loaded
