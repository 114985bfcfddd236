"""Entry point, in words that an older Python understands too: it must be able to say that it is too old."""

import importlib
import os
import subprocess
import sys

OLDEST = (3, 11)
NEEDED = {"_ssl": "ssl", "_sqlite3": "sqlite3", "_ctypes": "ctypes", "zlib": "zlib"}
"""What a Python that somebody built may lack, since the libraries for it were not there."""


def newer_python() -> "tuple[str | None, list[str]]":
    """Another interpreter on this machine that is new enough, and those that are in the PATH but do not start.

    Only trying tells: a name may be a shim (of pyenv, asdf) for a version that is not active.
    """
    dead: list[str] = []
    for minor in range(20, OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            program = os.path.join(folder, f"python3.{minor}")
            if not os.access(program, os.X_OK) or not os.path.isfile(program):
                continue
            if starts(program):
                return program, dead
            dead.append(program)
    return None, dead


def starts(program: str) -> bool:
    """Return whether it runs and is what its name says."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    nothing = subprocess.DEVNULL
    try:
        return (
            subprocess.call([program, "-c", check], stdin=nothing, stdout=nothing, stderr=nothing, timeout=20)
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def too_old(dead: "list[str]") -> str:
    """Return the sentence that says so."""
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    text = f"Framefleet needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is {this} ({sys.executable})."
    if dead:
        return (
            f"{text} {', '.join(dead)} do not start: a version that pyenv or asdf has not made active, perhaps. "
            f"Activate one (pyenv shell VERSION), or name a Python: make up PYTHON=/usr/bin/python3"
        )
    return f"{text} It runs on Debian 12 or newer and Ubuntu 24.04 or newer; elsewhere use: docker compose up"


def lacking() -> "list[str]":
    """The parts of the standard library that this Python was built without."""
    absent = []
    for module, name in NEEDED.items():
        try:
            importlib.import_module(module)
        except ImportError:
            absent.append(name)
    return absent


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        program, dead = newer_python()
        if program is None:
            sys.exit(too_old(dead))
        os.execv(program, [program, "-m", "cli.bootstrap", *sys.argv[1:]])  # noqa: S606
    if lacking():
        sys.exit(
            f"This Python ({sys.executable}) was built without {', '.join(lacking())}. Name another one: "
            "make up PYTHON=/usr/bin/python3"
        )

    from cli.bootstrap.run import main

    sys.exit(main(sys.argv[1:]))
