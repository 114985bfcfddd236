"""A private RabbitMQ and our services as processes, as `make up` runs them, for as long as a measurement lasts."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.metrics import Metrics
from cli.ports import LOOPBACK, answers, free_port
from cli.rabbitmq import RabbitMQNode
from runtime.loopback import open_directly

ROOT = Path(__file__).resolve().parents[1]
GRACE_SECONDS = 15
STANDARD_ERROR = 2  # where what they say goes: standard output is for the tables


@contextlib.contextmanager
def broker() -> Iterator[RabbitMQNode]:
    """A fresh RabbitMQ; gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        node = RabbitMQNode(Path(folder), name="bench")
        node.start()
        try:
            yield node
        finally:
            node.stop()


class Process:
    """`python -m <module>` with the environment of this process and what is given; `port` serves its metrics.

    `root` is the checkout that it runs from.
    """

    def __init__(
        self,
        module: str,
        url: str,
        arguments: Sequence[str] = (),
        port: int = 0,
        root: Path = ROOT,
        /,
        **environment: str,
    ) -> None:
        self.port = port or free_port()
        prefix = module.upper()
        given = {
            "AMQP_URL": url,
            "LOG_LEVEL": "error",
            f"{prefix}_METRICS_PORT": str(self.port),
            f"{prefix}_METRICS_HOST": LOOPBACK,
        }
        ours = given if "." not in module else {"AMQP_URL": url}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=root,
            env={**os.environ, **ours, **environment},
            stdout=STANDARD_ERROR,
        )
        self.pid = self._process.pid

    def alive(self) -> None:
        """Raises RuntimeError if it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.returncode}")

    def answers(self) -> bool:
        """Whether it has come as far as its metrics, whatever it lacks. Raises RuntimeError if it has ended."""
        self.alive()
        return answers(self.port)

    def ready(self) -> bool:
        """Whether it says that it lacks nothing. Raises RuntimeError if it has ended."""
        self.alive()
        try:
            with open_directly(f"http://{LOOPBACK}:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self) -> Metrics:
        """All that it counts, now."""
        with open_directly(f"http://{LOOPBACK}:{self.port}/metrics", timeout=5) as answer:
            return Metrics(answer.read().decode())

    def metric(self, name: str) -> float:
        """The sum of the metric over its labels."""
        return self.metrics().total(name)

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self) -> None:
        """Until it has ended; it is ended by force after a grace period."""
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def running(processes: list[Process]) -> Iterator[list[Process]]:
    """Ends them all with the block, those appended meanwhile too."""
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
