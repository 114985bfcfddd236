"""`framefleet up` in a folder of its own: the code and the built dashboard of this checkout, its own `.run`."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.layout import CHECKOUT
from tests.helpers.eventually import eventually

START = """
import os, sys
from pathlib import Path
from cli.knobs import read_knobs
from cli.layout import Layout
from cli.up import up
sys.exit(up(read_knobs(os.environ, Path.cwd()), Layout(Path(sys.argv[1]))))
"""
LINKED = ("contract", "broker", "runtime", "producer", "worker", "gateway", "cli", "deploy", "dashboard")


class Native:
    """A running system; `endpoints` is what it wrote for its users. `terminal`: it speaks to one."""

    def __init__(self, root: Path, *, terminal: bool = False, **knobs: str) -> None:
        self.root = root
        for name in LINKED:
            if not (root / name).exists():
                (root / name).symlink_to(CHECKOUT / name)
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        self.log = root / "up.log"
        with written_to(self.log, terminal=terminal) as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(root)],
                cwd=CHECKOUT,
                env={**kept, "PYTHONPATH": str(CHECKOUT), **knobs},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def endpoints(self) -> dict[str, Any]:
        """Waits until the system is up. Fails with its words if it ends instead."""
        file = self.root / ".run" / "endpoints.json"

        def written() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return file.exists()

        eventually("framefleet up", written, 60)
        read: dict[str, Any] = json.loads(file.read_text())
        return read

    def stop(self) -> int:
        """Ctrl-C, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@contextlib.contextmanager
def written_to(log: Path, *, terminal: bool) -> Iterator[int]:
    """What a child may write to during the block, and after it as long as it likes: all of it goes to `log`."""
    with log.open("ab") as out:
        if not terminal:
            yield out.fileno()
            return
    screen, end = pty.openpty()
    threading.Thread(target=_copy, args=(screen, log), daemon=True).start()
    try:
        yield end
    finally:
        os.close(end)


def _copy(screen: int, log: Path) -> None:
    # EIO: nobody has the terminal any more.
    with (
        log.open("ab", buffering=0) as out,
        contextlib.suppress(OSError),
    ):
        while said := os.read(screen, 65536):
            out.write(said)
    os.close(screen)
