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
    """Make `.venv` hold `requirements/<requirements>`; returns its Python. Raises NotPrepared."""
    python = layout.venv / "bin" / "python"
    if not usable(layout):
        commands.run(
            "Making the virtual environment",
            [sys.executable, "-m", "venv", "--clear", str(layout.venv)],
            advice=_advice_on_making,
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
        advice=lambda said: _advice_on_installing(said, layout),
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )
    stamp.write(current)


def usable(layout: Layout) -> bool:
    """Return whether the environment's Python still runs, is new enough, and is that of an environment with pip.

    The system's may have been replaced, and whoever made the environment may have been interrupted.
    """
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    python = layout.venv / "bin" / "python"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _advice_on_making(said: str) -> str:
    if "ensurepip" in said:
        return "Python's venv module is needed: sudo apt-get install python3-venv"
    return "What is said above is in the way; move .venv away, then start again"


def _advice_on_installing(said: str, layout: Layout) -> str:
    """Return advice by what pip said: most failures are the network's, but not all."""
    if "No space left" in said or "Disk quota" in said:
        return "The disk is full: about 2 GB are needed. Make room, then start again"
    if "Permission denied" in said or "Read-only file system" in said:
        return f"Something in {layout.venv} may not be written by this user: hand it over, or remove {layout.venv}"
    if "DO NOT MATCH THE HASHES" in said:
        return "The package index gave other files than those that were pinned: which one does `pip config list` name?"
    if "RECORD" in said or "No module named" in said or "Traceback" in said:
        return f"The virtual environment is broken: remove {layout.venv}, then start again"
    return "pip needs a package index: check the network, the proxy and `pip config list`"


def _launcher(layout: Layout) -> None:
    """Make `.venv/bin/framefleet` work from every folder, without a build step, and in a copy for the copy."""
    site = next((layout.venv / "lib").glob("python3.*/site-packages"))
    (site / "framefleet.pth").write_text("../../../..\n")
    launcher = layout.venv / "bin" / "framefleet"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
