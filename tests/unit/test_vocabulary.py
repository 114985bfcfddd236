"""One vocabulary: a class name means one thing in the whole project, and modules are called by nouns."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contract", "broker", "runtime", "batch", "producer", "worker", "gateway", "cli")
NOT_NOUNS = {"served", "serving", "wanted", "watched", "watching", "looking"}


def modules() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def test_a_class_name_stands_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in modules():
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
    assert len(places) > 300  # they were found


def test_no_module_is_called_by_a_participle() -> None:
    assert [str(file) for file in modules() if file.stem in NOT_NOUNS] == []
