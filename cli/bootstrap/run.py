"""The story of a first start: check, install, build, and become `framefleet up`."""

import os
import sys
from pathlib import Path

from cli.bootstrap import dashboard, node, packages, venv
from cli.bootstrap.commands import Commands
from cli.bootstrap.problem import Problem
from cli.bootstrap.system import check_system, is_ubuntu, read_os_release
from cli.display import Display
from cli.knobs import KnobError, Knobs, check_names, read_knobs
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
            python = prepare_up(layout, read_knobs(os.environ, Path.cwd()))
            os.execv(python, [str(python), "-m", "cli", "up"])  # noqa: S606 - the same process from here on
    except (Problem, KnobError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"{error.filename} may not be written by this user: was Framefleet started as root here before?\n"
            f"To hand it over: sudo chown -R {os.geteuid()} {layout.run} {layout.venv} {layout.dashboard}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.", file=sys.stderr)
        return 130
    return 0


def prepare_up(layout: Layout, knobs: Knobs) -> Path:
    """Everything that running needs; returns the virtual environment's Python."""
    check_system(read_os_release())
    commands = _commands(layout, "bootstrap.log")
    broker = (packages.RABBITMQ,) if knobs.own_broker else ()
    packages.install([*_for_venv(layout), *broker, packages.PROMETHEUS], commands)
    python = venv.prepare(layout, "native.txt", commands)
    dashboard.prepare(layout, commands)
    return python


def prepare_tests(layout: Layout) -> None:
    """Everything that the tests need: what running needs, and their tools."""
    release = read_os_release()
    check_system(release)
    commands = _commands(layout, "bootstrap-tests.log")
    # Ubuntu has Chromium only as a snap: there Playwright brings its own.
    tools = [p for p in packages.FOR_TESTS if p.name != "chromium" or not is_ubuntu(release)]
    packages.install([*_for_venv(layout), packages.RABBITMQ, packages.PROMETHEUS, *tools], commands)
    python = venv.prepare(layout, "dev.txt", commands)
    if is_ubuntu(release):
        commands.run(
            "Installing Chromium",
            [str(python), "-m", "playwright", "install", "--with-deps", "chromium"],
            advice="Playwright downloads it: check the network and the proxy",
        )
    node.prepare(layout, commands)
    dashboard.prepare(layout, commands, packages_too=True)


def _commands(layout: Layout, log: str) -> Commands:
    layout.create()
    return Commands(Display(), layout.logs / log)


def _for_venv(layout: Layout) -> tuple[packages.Package, ...]:
    return () if (layout.venv / "bin" / "python").exists() else (packages.VENV,)
