"""The story of a first start: check, install, build, and become `framefleet up`."""

import errno
import os
import sys
from pathlib import Path

from cli import lock
from cli.bootstrap import dashboard, node, packages, venv
from cli.bootstrap.checkout import check_checkout, not_writable
from cli.bootstrap.commands import Commands
from cli.bootstrap.system import check_system, is_ubuntu, read_os_release
from cli.display import Display
from cli.errors import CommandError, NotPrepared
from cli.knobs import Knobs, check_names, read_knobs
from cli.layout import Layout


def main(arguments: list[str]) -> int:
    """`up` prepares and starts; `tests` prepares what the tests need. Returns the exit code."""
    layout = Layout()
    if arguments not in (["up"], ["tests"]):
        print("usage: python3 -m cli.bootstrap up|tests", file=sys.stderr)
        return 2
    try:
        check_names(os.environ.get("GIVEN_KNOBS", ""))
        if arguments == ["tests"]:
            prepare_tests(layout)
        else:
            knobs = read_knobs(os.environ, Path.cwd())
            # Nothing is installed or built under a system that runs.
            runs = lock.holder(layout.lock) is not None and venv.usable(layout)
            python = layout.venv / "bin" / "python" if runs else prepare_up(layout, knobs)
            os.execv(python, [str(python), "-m", "cli", "up"])  # noqa: S606 - the same process from here on
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(_sentence(error, layout), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.", file=sys.stderr)
        return 130
    return 0


def prepare_up(layout: Layout, knobs: Knobs) -> Path:
    """Prepare everything that running needs; returns the virtual environment's Python."""
    check_system(read_os_release())
    check_checkout(layout)
    commands = _commands(layout, "bootstrap.log")
    broker = (packages.RABBITMQ,) if knobs.own_broker else ()
    packages.install([*_for_venv(layout), *broker, packages.PROMETHEUS], commands)
    python = venv.prepare(layout, "native.txt", commands)
    dashboard.prepare(layout, commands)
    return python


def prepare_tests(layout: Layout) -> None:
    """Prepare everything that the tests need: what running needs, and their tools."""
    release = read_os_release()
    check_system(release)
    check_checkout(layout)
    commands = _commands(layout, "bootstrap-tests.log")
    # Ubuntu has Chromium only as a snap: there Playwright brings its own.
    tools = [p for p in packages.FOR_TESTS if p.name != "chromium-headless-shell" or not is_ubuntu(release)]
    packages.install([*_for_venv(layout), packages.RABBITMQ, packages.PROMETHEUS, *tools], commands)
    python = venv.prepare(layout, "dev.txt", commands)
    if is_ubuntu(release):
        commands.run(
            "Installing Chromium",
            [str(python), "-m", "playwright", "install", "--with-deps", "--only-shell", "chromium"],
            advice="Playwright downloads it: check the network and the proxy",
        )
    node.prepare(layout, commands)
    dashboard.prepare(layout, commands, packages_too=True)


def _commands(layout: Layout, log: str) -> Commands:
    layout.create()
    return Commands(Display(), layout.logs / log)


def _for_venv(layout: Layout) -> tuple[packages.Package, ...]:
    if venv.usable(layout):
        return ()
    if not packages.VENV.present() and not packages.is_debians_python():
        raise NotPrepared(
            f"This Python ({sys.executable}) has no ensurepip, so it can make no virtual environment, and is none of "
            "Debian's, whose python3-venv would bring it. Name another one: make up PYTHON=/usr/bin/python3"
        )
    return (packages.VENV,)


def _sentence(error: OSError, layout: Layout) -> str:
    """Return what the operating system refused, and what to do."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and error.filename:
        return str(not_writable(Path(os.fsdecode(error.filename)), layout))
    place = f" ({os.fsdecode(error.filename)})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{place}: about 2 GB are needed. Make room, then start again: it goes on from here."
    return f"The preparation failed{place}: {error.strerror or error}"
