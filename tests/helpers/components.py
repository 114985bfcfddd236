"""Real components that a test needs. A person may skip what is missing; CI may not.

The real YuNet and the footage are not part of the repository and no registry has them: CI is told where they are by
MODEL_DIR and FOOTAGE_DIR (`.ci/run`), and skips their tests only where it was told nothing.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from worker.models import Registry, present


def _library(pattern: str) -> Path:
    """A file below /usr/lib, whose folders are called after the processor."""
    return next(Path("/usr/lib").glob(pattern), Path("/usr/lib") / pattern)


PLACES = {
    "rabbitmq-server": Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
    "prometheus": None,
    "promtool": None,
    "prometheus-alertmanager": None,
    "amtool": None,
    "chromium-headless-shell": None,
    "amqp-publish": None,
    "ffmpeg": None,
    "openssl": None,
    "nginx": None,
    "caddy": None,
    "redis-server": None,
    "postgresql": _library("postgresql/*/bin/postgres"),
    "gst-rtsp-server": _library("*/girepository-1.0/GstRtspServer-1.0.typelib"),
}


def require(component: str) -> str:
    """The path of a program; if it is missing, skip the test, or fail it when CI is set."""
    place = PLACES[component]
    found = str(place) if place is not None and place.exists() else shutil.which(component)
    if found is None:
        lacking(f"{component} is not installed: `make test` installs it")
    return found


def require_package(name: str) -> None:
    """The same for a Python package of which not every machine has a wheel. May be called by a module."""
    if find_spec(name) is None:
        lacking(f"the Python package {name} is not installed: `make test` installs it where there is a wheel")


def real_yunet() -> Path:
    """YuNet's file, from MODEL_DIR."""
    entry = Registry.load(None).entry("yunet")
    folder = _named("MODEL_DIR", f"the real YuNet, {entry.filename}")
    path = present(entry, model_dir=folder, cache=folder)
    if path is None:
        lacking(f"MODEL_DIR has no {entry.filename}, or not the real one")
    return path


def real_footage() -> list[Path]:
    """Videos of people, from FOOTAGE_DIR."""
    folder = _named("FOOTAGE_DIR", "footage of people")
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    if not files:
        lacking("FOOTAGE_DIR has no videos")
    return files


def lacking(message: str) -> NoReturn:
    """Skip the test for want of a component, or fail it when CI is set."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message, allow_module_level=True)


def _named(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"not here: {what}; {variable} names a folder that has it")
    return Path(folder)
