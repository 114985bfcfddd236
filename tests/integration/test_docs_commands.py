"""Every command of `framefleet` that a page names is one, with its sub-commands."""

import re
import subprocess
import sys

import pytest

from tests.helpers.processes import ROOT

pytestmark = pytest.mark.integration

PAGES = "\n".join(
    path.read_text()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*"))
    if path.is_file() and path.name != "CHANGELOG.md"
)
NAMED = re.findall(r"(?:`|bin/|^)framefleet ([a-z]+)(?: ([a-z][a-z-]+))?", PAGES, re.MULTILINE)


@pytest.mark.parametrize("command", sorted({command for command, _ in NAMED}))
def test_the_command_and_its_sub_commands(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    subs = {sub for first, sub in NAMED if first == command and sub}
    assert subs <= set(re.findall(r"[a-z][a-z-]+", done.stdout)), f"framefleet {command}"
