"""What can go wrong with a detector, as a short tree."""


class DetectionError(Exception):
    """The root of every error of this package."""


class ModelMismatch(DetectionError, ValueError):
    """A model file that a detector cannot use; the message says what was found and what is expected."""


class GpuUnavailable(DetectionError, RuntimeError):
    """ONNX Runtime does not compute on a GPU here."""
