"""Debian packages: which are missing, and installing them as root or through sudo."""

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli import rabbitmq
from cli.bootstrap.commands import Commands
from cli.errors import NotPrepared
from cli.layout import CHECKOUT

INSTALLER = CHECKOUT / "deploy" / "apt-install"
SAVED_POLICY = Path("/usr/sbin/policy-rc.d.before-framefleet")


@dataclass(frozen=True)
class Package:
    """A Debian package, and how to see that what it brings is there (also when it came from elsewhere)."""

    name: str
    present: Callable[[], bool]


def program(name: str) -> Callable[[], bool]:
    """A check for a program in the PATH."""
    return lambda: shutil.which(name) is not None


def library(pattern: str) -> Callable[[], bool]:
    """A check for a file below /usr/lib, whose folders are called after the processor."""
    return lambda: any(Path("/usr/lib").glob(pattern))


def _venv_works() -> bool:
    return importlib.util.find_spec("ensurepip") is not None


def is_debians_python() -> bool:
    """Return whether this interpreter is the system's: only for that one are there Debian packages."""
    return sys.base_prefix == "/usr"


RABBITMQ = Package("rabbitmq-server", rabbitmq.installed)
PROMETHEUS = Package("prometheus", program("prometheus"))
# Debian splits `venv` off its Python; another Python (pyenv, a container's) brings it along.
VENV = Package(f"python{sys.version_info.major}.{sys.version_info.minor}-venv", _venv_works)
FOR_TESTS = (
    # Playwright's Node.js needs it.
    Package("libatomic1", lambda: ctypes.util.find_library("atomic") is not None),
    Package("amqp-tools", program("amqp-publish")),
    Package("chromium-headless-shell", program("chromium-headless-shell")),
    Package("ffmpeg", program("ffmpeg")),
    Package("nginx", program("nginx")),
    Package("caddy", program("caddy")),
    Package("openssl", program("openssl")),
    Package("prometheus-alertmanager", program("prometheus-alertmanager")),
    Package("redis-server", program("redis-server")),
    Package("postgresql", library("postgresql/*/bin/postgres")),
    # A real RTSP server: its bindings, the Python that they are for, and what reads and sends H.264 files.
    Package("gir1.2-gst-rtsp-server-1.0", library("*/girepository-1.0/GstRtspServer-1.0.typelib")),
    Package("python3-gi", library("python3/dist-packages/gi/__init__.py")),
    Package("gstreamer1.0-plugins-good", library("*/gstreamer-1.0/libgstrtp.so")),
)


def install(packages: Sequence[Package], commands: Commands) -> None:
    """Install what is missing. Raises NotPrepared with the one line to type where that takes another user."""
    missing = [package.name for package in packages if not package.present()]
    if not missing and not SAVED_POLICY.exists():
        return
    root = become_root(missing, commands)
    commands.run(
        f"Installing {', '.join(missing)}" if missing else "Putting back /usr/sbin/policy-rc.d",
        [*root, "sh", str(INSTALLER), *missing],
        advice=f"To see more, try it yourself: sudo apt-get install {' '.join(missing)}",
    )
    still = [package.name for package in packages if not package.present()]
    if still:
        raise NotPrepared(
            f"apt-get installed {', '.join(still)}, but its programs are not to be found. See {commands.log}"
        )


def become_root(missing: Sequence[str], commands: Commands) -> list[str]:
    """Return what makes a command root's: nothing, or sudo before it. Raises NotPrepared where neither works."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and _succeeds([sudo, "-n", "true"]):
        return [sudo, "-n"]
    if sudo and sys.stdin.isatty() and sys.stdout.isatty():
        commands.display.say(
            f"Missing: {', '.join(missing)}. Only root may install; sudo asks for your password."
        )
        if subprocess.run([sudo, "-v"], check=False).returncode == 0:
            return [sudo, "-n"]
    raise NotPrepared(
        f"Please have this run once, then start again: sudo apt-get install {' '.join(missing)}"
    )


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
