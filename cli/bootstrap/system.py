"""The machines that are supported natively, checked before anything is touched."""

from collections.abc import Mapping
from pathlib import Path

from cli.errors import NotPrepared

OLDEST = {"debian": (12,), "ubuntu": (24, 4)}


def read_os_release(file: Path = Path("/etc/os-release")) -> dict[str, str]:
    """Read the distribution's own description of itself; empty where there is none."""
    if not file.exists():
        return {}
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def check_system(release: Mapping[str, str]) -> None:
    """Raises NotPrepared unless this is Debian ≥12 or Ubuntu ≥24.04 (a release without a number is a newer one)."""
    name = release.get("ID", "")
    version = release.get("VERSION_ID", "")
    oldest = OLDEST.get(name)
    if oldest and (not version or tuple(int(n) for n in version.split(".")) >= oldest):
        return
    called = release.get("PRETTY_NAME") or name or "not a known Linux distribution"
    raise NotPrepared(
        f"`make up` supports Debian 12 or newer and Ubuntu 24.04 or newer, and this machine is {called}. "
        "Use Docker Compose here: docker compose up --scale cv-worker=2"
    )


def is_ubuntu(release: Mapping[str, str]) -> bool:
    """Return whether this is Ubuntu, where Chromium is not a Debian package."""
    return release.get("ID") == "ubuntu"
