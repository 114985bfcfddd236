"""Real components that a test needs. A person may skip what is missing; CI may not."""

import os
import shutil
from pathlib import Path

import pytest


def _library(pattern: str) -> Path:
    """A file below /usr/lib, whose folders are called after the processor."""
    return next(Path("/usr/lib").glob(pattern), Path("/usr/lib") / pattern)


PLACES = {
    "rabbitmq-server": Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
    "prometheus": None,
    "promtool": None,
    "chromium": None,
    "amqp-publish": None,
    "ffmpeg": None,
    "openssl": None,
    "nginx": None,
    "postgresql": _library("postgresql/*/bin/postgres"),
    "gst-rtsp-server": _library("*/girepository-1.0/GstRtspServer-1.0.typelib"),
}


def require(component: str) -> str:
    """The component's path; if it is missing, skip the test, or fail it when CI is set."""
    place = PLACES[component]
    found = str(place) if place is not None and place.exists() else shutil.which(component)
    if found is not None:
        return found
    message = f"{component} is not installed: `make test` installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
