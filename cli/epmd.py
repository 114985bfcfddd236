"""Erlang's port mapper, started for a RabbitMQ node of ours and ended with it."""

import subprocess
from pathlib import Path

from cli import ports
from cli.errors import RabbitMQError
from cli.wait import wait_until


def epmd_program() -> Path | None:
    """Erlang's port mapper, where Debian puts it."""
    return next((p for p in (Path("/usr/bin/epmd"), Path("/usr/lib/erlang/bin/epmd")) if p.exists()), None)


class Epmd:
    """Erlang's port mapper on a port of its own, so that nobody else's is used and ours can be ended.

    It works in `folder`: that tells whose it is.
    """

    def __init__(self, port: int = 0, folder: Path = Path("/")) -> None:
        self.port = port or ports.free_port()
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 10) -> None:
        """Start it unless it runs; returns when it answers. Raises RabbitMQError."""
        if self.process is not None and self.process.poll() is None:
            return
        program = epmd_program()
        if program is None:
            raise RabbitMQError("Erlang is not installed: sudo apt-get install rabbitmq-server")
        self.process = subprocess.Popen(
            [program, "-port", str(self.port), "-address", ports.LOOPBACK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._folder,
            env={"PATH": "/usr/bin:/bin"},
        )
        if not wait_until(lambda: ports.answers(self.port), timeout, interval=0.01):
            self.stop()
            raise RabbitMQError(f"epmd did not answer on port {self.port} of {ports.LOOPBACK}")

    def stop(self) -> None:
        """End it. Nodes that are registered stay up, but nobody finds them any more."""
        if self.process is not None:
            self.process.kill()  # it keeps nothing on disk
            self.process.wait()
            self.process = None
