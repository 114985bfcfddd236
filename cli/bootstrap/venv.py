"""The virtual environment in the checkout: made once, filled with exactly the pinned packages."""

import os
import subprocess
import sys
from pathlib import Path

from cli.bootstrap.commands import Commands
from cli.bootstrap.stamps import Stamp, digest
from cli.layout import Layout

LAUNCHER = """#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -m cli "$@"
"""


def prepare(layout: Layout, requirements: str, commands: Commands) -> Path:
    """Make `.venv` hold `requirements/<requirements>`; returns its Python. Raises Problem."""
    python = layout.venv / "bin" / "python"
    if not _usable(python):
        commands.run(
            "Making the virtual environment",
            [sys.executable, "-m", "venv", "--clear", str(layout.venv)],
            advice="Python's venv module is needed: sudo apt-get install python3-venv",
        )
    install(layout, requirements, commands)
    _launcher(layout)
    return python


def install(layout: Layout, requirements: str, commands: Commands) -> None:
    """Install a hash-pinned file of requirements/, unless exactly that was done before."""
    file = layout.root / "requirements" / requirements
    # dev.txt holds all of native.txt in the same versions: either way round, each file has its own stamp.
    stamp = Stamp(layout.venv / f".framefleet-{requirements}")
    current = digest([file], str(layout.venv))
    if stamp.matches(current):
        return
    commands.run(
        "Installing the Python packages" if requirements != "node.txt" else "Installing Node.js",
        [
            *(
                str(layout.venv / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--no-input",
                "--progress-bar=off",
            ),
            *("--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "-r", str(file)),
        ],
        advice="pip needs a package index: check the network, the proxy and `pip config list`",
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )
    stamp.write(current)


def _usable(python: Path) -> bool:
    """Whether the environment's Python still runs and is new enough: the system's may have been replaced."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _launcher(layout: Layout) -> None:
    """Make `.venv/bin/framefleet` work from every folder, without a build step, and in a copy for the copy."""
    site = next((layout.venv / "lib").glob("python3.*/site-packages"))
    (site / "framefleet.pth").write_text("../../../..\n")
    launcher = layout.venv / "bin" / "framefleet"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
