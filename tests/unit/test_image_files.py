"""What an image has of our own code is enough for what it runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
RUNS = {
    "models": "worker.models.bake",
    "cv-worker": "worker.__main__",
    "producer": "producer.__main__",
    "gateway": "gateway.__main__",
}
IMPORT = """
import importlib, sys
checkout, module = sys.argv[1:]
sys.path = [".", *(each for each in sys.path if each not in ("", checkout))]
importlib.import_module(module)
"""


def copied(stage: str) -> list[tuple[str, str]]:
    """What the stage and those below it copy from the checkout: sources and destinations."""
    head = re.search(rf"^FROM (\S+) AS {stage}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    if head is None:
        return []
    pairs = copied(head[1])
    for line in re.findall(r"^COPY (?!--from)(.*)$", head[2], re.MULTILINE):
        *sources, destination = (word for word in line.split() if not word.startswith("--"))
        pairs += [(source, destination) for source in sources]
    return pairs


@pytest.mark.parametrize("stage", RUNS)
def test_it_imports_with_what_was_copied(stage: str, tmp_path: Path) -> None:
    for source, destination in copied(stage):
        if (ROOT / source).suffix != ".py" and not (ROOT / source / "__init__.py").exists():
            continue
        target = tmp_path / destination
        if destination.endswith("/"):
            target = target / Path(source).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(ROOT / source)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(ROOT), RUNS[stage]],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
