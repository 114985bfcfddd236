"""The examples that can be judged without running them; the others: tests/integration/test_examples.py."""

from pathlib import Path

from producer.catalogue.file.reader import read_cameras

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_cameras_are_read_without_a_complaint() -> None:
    file = read_cameras((EXAMPLES / "cameras.yaml").read_bytes(), {"CAMERA_GATE_PASSWORD": "p@ss/word"})
    assert file.problems == ()
    assert list(file.cameras) == ["gate-3", "quay", "lobby", "yard-ptz", "archive"]
