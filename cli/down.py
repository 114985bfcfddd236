"""`framefleet down`: stop the system that runs in this checkout, wherever it was started."""

import argparse
import os
import signal

from cli import lock
from cli.layout import Layout
from cli.wait import wait_until


def add(parser: argparse.ArgumentParser) -> None:
    """`down` has no options."""
    parser.description = "Stops the system that runs in this checkout, wherever it was started."


def run(_arguments: argparse.Namespace) -> int:
    """Run `framefleet down`; returns the exit status."""
    return down(Layout())


def down(layout: Layout, timeout: float = 60) -> int:
    """Stop the run of this checkout. Returns 0, or 1 when it did not end."""
    pid = lock.holder(layout.lock)
    if pid is None:
        print("Framefleet does not run in this checkout.")
        return 0
    os.kill(pid, signal.SIGTERM)
    if wait_until(lambda: lock.holder(layout.lock) != pid, timeout, interval=0.2):
        print("Stopped.")
        return 0
    print(
        f"It has not ended after {timeout:.0f} s (pid {pid}). To end it by force: kill -9 {pid}; make up; Ctrl-C"
    )
    return 1
