"""docs/cameras.md says what the code does."""

import re
from pathlib import Path

from producer.catalogue.file.keys import KNOWN, OWN
from producer.catalogue.file.reader import read_cameras
from producer.catalogue.settings import REOPENED

PAGE = (Path(__file__).parents[2] / "docs" / "cameras.md").read_text()


def cells(heading: str, column: int) -> list[str]:
    """What is in backquotes in one column of the table below the heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert rows
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row[column])]


def test_the_example_is_valid_and_does_what_is_said() -> None:
    example = PAGE.partition("```yaml\n")[2].partition("```")[0]
    file = read_cameras(example.encode(), {"CAMERA_GATE_PASSWORD": "p@ss/word"})
    assert file.problems == ()
    gate, quay, archive = file.cameras.values()
    assert (gate.fps, gate.priority, gate.district, len(gate.masks)) == (2, 3, "Harbour", 2)
    assert (quay.fps, quay.model, archive.enabled) == (5, "yunet,haar:vote", False)
    assert gate.spec.target == "http://admin:p%40ss%2Fword@10.0.0.7/snapshot.jpg"


def test_every_key_is_explained_and_the_first_four_are_the_cameras_own() -> None:
    keys = cells("The keys", 0)
    assert sorted(keys) == sorted(KNOWN)
    assert sorted(keys[:4]) == sorted(OWN)


def test_what_opens_a_source_again_is_what_the_code_opens_again() -> None:
    named = {"source": "spec", "tls_fingerprint": "trust", "tls_verify": "trust", "tls": "trust"}
    keys = {named.get(key, key) for key in cells("Changes while it runs", 0)}
    assert keys | {"lossless"} == REOPENED  # that one follows from the lane and PRODUCER_END


def test_the_errors_are_those_that_such_a_file_gives() -> None:
    text = """\
defaults:
  fps: two
groups: {}
cameras:
  - id: gate-3
    source: http://${CAMERA_GATE_PASWORD}@h/
    maks: []
    fps: 1
    name: Gate
  - {id: gate-3, source: demo:1, fps: 1}
  - {id: quay, source: demo:1}
"""
    shown = PAGE.partition("## Errors")[2].partition("```\n")[2].partition("```")[0]
    assert "".join(f"{problem}\n" for problem in read_cameras(text.encode(), {}).problems) == shown
