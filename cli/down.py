"""`framefleet down`: stop the system that runs in this checkout, wherever it was started."""

import argparse
import os
import signal

from cli import lock, survivors
from cli.layout import Layout
from cli.wait import wait_until


def add(parser: argparse.ArgumentParser) -> None:
    """`down` has no options."""
    parser.description = (
        "Stops the system that runs in this checkout, wherever it was started, or what a killed one has left."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Run `framefleet down`; returns the exit status."""
    return down(Layout())


def down(layout: Layout, timeout: float = 60) -> int:
    """Stop the run of this checkout, or what one that was killed left behind. Returns 0, or 1 when it did not end."""
    pid = lock.holder(layout.lock)
    if pid is None:
        return _end_left_over(layout)
    os.kill(pid, signal.SIGTERM)
    if wait_until(lambda: lock.holder(layout.lock) != pid, timeout, interval=0.2):
        print("Stopped.")
        return 0
    print(f"It has not ended after {timeout:.0f} s (pid {pid}). To end it by force: kill -9 {pid}; make down")
    return 1


def _end_left_over(layout: Layout) -> int:
    if not survivors.survivors(layout.processes, layout.root):
        print("Framefleet does not run in this checkout.")
        return 0
    # A `make up` of this moment must not write the files that are deleted here.
    with lock.acquire(layout.lock):
        left = survivors.survivors(layout.processes, layout.root)
        names = ", ".join(sorted(each.name for each in left))
        print(f"`make up` was killed and left {len(left)} running: {names}. Ending them …", flush=True)
        survivors.end_all(left)
        if still := survivors.survivors(layout.processes, layout.root):
            shown = ", ".join(f"{each.name} (pid {each.pid})" for each in still)
            print(f"Not ended, not even by force: {shown}")
            return 1
        layout.processes.unlink(missing_ok=True)
        layout.endpoints.unlink(missing_ok=True)
    print("Stopped.")
    return 0
