"""A MODEL_DIR of a test's own: no network, no real model needed."""

from pathlib import Path

from tests.helpers.tiny_yunet import write_tiny_yunet

ENTRIES = """
[tiny]
kind = "yunet"
file = "tiny.onnx"
[broken]
kind = "yunet"
file = "broken.onnx"
[absent]
kind = "yunet"
file = "absent.onnx"
# Instead of the built-in one, so that no test reaches for the network:
[yunet]
kind = "yunet"
file = "yunet.onnx"
"""


def write_models(folder: Path) -> Path:
    """`tiny` works, `broken` is not a model, `absent` and `yunet` have no file. Returns the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "models.toml").write_text(ENTRIES)
    (folder / "broken.onnx").write_bytes(b"not a model")
    write_tiny_yunet(folder / "tiny.onnx")
    return folder
