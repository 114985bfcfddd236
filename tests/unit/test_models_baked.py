"""Models in the image: given or downloaded while it is built, and checked."""

import hashlib
from pathlib import Path

import pytest

from cli.layout import CHECKOUT
from worker.models import ModelEntry, Registry
from worker.models.bake import bake
from worker.models.files import BAKED

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> str:
    """An address with the model."""
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path.as_uri()


def baking(tmp_path: Path, *urls: str) -> tuple[bool, list[str], Path]:
    """What `bake` says of a registry whose model `m` has these addresses, what it tells, and where `m` would be."""
    said: list[str] = []
    model = ModelEntry("m", "yolo", "object", filename="m.onnx", sha256=SHA256, urls=urls)
    registry = Registry({"m": model, "haar": Registry.load(None).entry("haar")})
    (tmp_path / "given").mkdir(exist_ok=True)
    right = bake(registry, tmp_path / "given", tmp_path / "baked", said.append)
    return right, said, tmp_path / "baked" / "m.onnx"


def test_an_image_gets_the_file_that_was_put_beside_its_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "m.onnx").write_bytes(CONTENT)
    (tmp_path / "given" / "m.onnx").chmod(0o600)
    (tmp_path / "given" / "mine.onnx").write_bytes(b"mine")
    right, said, baked = baking(tmp_path)
    assert right
    assert baked.read_bytes() == CONTENT
    assert baked.stat().st_mode & 0o777 == 0o644  # the image's user is another one
    assert [path.name for path in baked.parent.iterdir()] == ["m.onnx"]
    assert "mine.onnx: not baked" in said[0]


def test_an_image_gets_a_downloaded_file(tmp_path: Path, source: str) -> None:
    right, _, baked = baking(tmp_path, source)
    assert right
    assert baked.read_bytes() == CONTENT


def test_an_image_is_built_without_a_network_and_says_so(tmp_path: Path) -> None:
    absent = (tmp_path / "absent").as_uri()
    right, said, baked = baking(tmp_path, absent)
    assert right
    assert baked.parent.is_dir()
    assert not baked.exists()
    assert f"m: NOT in this image ({absent}: No such file or directory)" in said[-1]


def test_an_image_is_not_built_with_a_file_that_is_not_what_it_claims_to_be(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "m.onnx").write_bytes(b"tampered")
    right, said, baked = baking(tmp_path, source)
    assert not right
    assert not baked.exists()
    assert "deploy/models/m.onnx has another SHA-256" in said[-1]


def test_the_image_looks_for_models_where_they_were_baked() -> None:
    dockerfile = (CHECKOUT / "deploy/Dockerfile").read_text()
    assert f"COPY --from=models /baked {BAKED.relative_to(CHECKOUT)}\n" in dockerfile
    assert "!deploy/models\n" in (CHECKOUT / ".dockerignore").read_text()
