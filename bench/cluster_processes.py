"""The whole cluster as processes, fed by the rig's cameras, and one look at all that it counts and costs."""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.camera_addresses import addresses, as_file
from bench.machine import cpu_seconds, family, idle_seconds, resident
from bench.metrics import Metrics
from bench.processes import Process, broker, running
from cli.ports import LOOPBACK, free_port
from cli.wait import wait_until
from contract.task import TaskForm

DETECTOR = os.environ.get("WORKER_DETECTOR", "yunet")
READY_SECONDS = 30.0
NO_WORKER = (
    "the workers do not become ready; they need YuNet's model: put face_detection_yunet_*.onnx into a folder and set "
    "MODEL_DIR, or let them download it, or set WORKER_DETECTOR=haar, which is slower"
)
NO_BROKER = f"amqp://{LOOPBACK}:1/"
GATE_OFF = {"PRODUCER_MOTION": "off"}
"""Settings of the producer with which every picture is sent, whether it shows anything new or not."""


class CannotStart(Exception):
    """A part of the cluster does not become ready; the message says what to do, what it said itself is above."""


@dataclass(frozen=True)
class Setup:
    """How many cameras, how many frames a second of all together, how frames travel, and who computes them."""

    cameras: int
    rate: float
    form: TaskForm
    workers: int = 2
    prefetch: int = 1

    @property
    def fps(self) -> float:
        """Of one camera."""
        return self.rate / self.cameras


@dataclass(frozen=True)
class Look:
    """At one moment: seconds (monotonic), what is counted, CPU seconds by process, and idle ones of all cores."""

    time: float
    rig: Metrics
    producer: Metrics
    workers: Sequence[Metrics]
    gateway: Metrics
    cpu: dict[str, float]
    idle: float


class Cluster:
    """Everything started, and the producer last. Raises CannotStart."""

    def __init__(
        self, url: str, broker_pid: int, folder: Path, setup: Setup, processes: list[Process]
    ) -> None:
        self._rig = processes[0]
        self._gateway = Process(
            "gateway",
            url,
            GATEWAY_PORT=str(free_port()),
            GATEWAY_TOKEN=secrets.token_hex(16),
            GATEWAY_PRINT_LINK="false",
            GATEWAY_DATA_DIR=str(folder),
        )
        self._workers = [
            Process(
                "worker", url, NODE_ID=f"bench-{n}", WORKER_DETECTOR=DETECTOR, PREFETCH=str(setup.prefetch)
            )
            for n in range(setup.workers)
        ]
        processes += [self._gateway, *self._workers]
        _wait([self._rig], "the cameras do not answer")
        _wait([self._gateway], "the gateway does not become ready")
        _wait(self._workers, NO_WORKER)
        self._producer = Process(
            "producer",
            url,
            CAMERAS=str(cameras_file(setup, self._rig.port, folder)),
            **GATE_OFF,
            PRODUCER_FORM=setup.form.value,
        )
        processes.append(self._producer)
        self._pids = {
            "cameras": [self._rig.pid],
            "producer": [self._producer.pid],
            "broker": [broker_pid],
            "workers": [worker.pid for worker in self._workers],
            "gateway": [self._gateway.pid],
        }

    def look(self) -> Look:
        """Now. The gateway's counts, the time and the CPU seconds are of the same moment, as nearly as can be."""
        producer, rig = self._producer.metrics(), self._rig.metrics()
        workers = [worker.metrics() for worker in self._workers]
        return Look(
            rig=rig,
            producer=producer,
            workers=workers,
            gateway=self._gateway.metrics(),
            time=time.monotonic(),
            cpu={name: sum(map(cpu_seconds, pids)) for name, pids in self._pids.items()},
            idle=idle_seconds(),
        )

    def resident(self) -> float:
        """Megabytes of all processes together, RabbitMQ's helpers and the cameras included; shared pages count for each
        process.
        """
        return sum(map(resident, family(os.getpid())))


def check_workers() -> None:
    """Start one without a broker, until it has its model. Raises CannotStart where it cannot have it."""
    with running([Process("worker", NO_BROKER, WORKER_DETECTOR=DETECTOR)]) as workers:
        _wait(workers, NO_WORKER, Process.answers)


@contextmanager
def cluster(setup: Setup, rig_arguments: Sequence[str]) -> Iterator[Cluster]:
    """A fresh one; gone at the end. Raises CannotStart."""
    with tempfile.TemporaryDirectory() as folder, broker() as node, running([]) as processes:
        pid = node.pid
        assert pid is not None
        port = free_port()
        given = ["--cameras", str(setup.cameras), "--port", str(port), *rig_arguments]
        processes.append(Process("bench.cameras", node.amqp_url, given, port))
        yield Cluster(node.amqp_url, pid, Path(folder), setup, processes)


def cameras_file(setup: Setup, port: int, folder: Path) -> Path:
    """A cameras.yaml with the cameras and their rate."""
    file = folder / "cameras.yaml"
    file.write_text(as_file(addresses(setup.cameras, port, hosts=setup.cameras), setup.fps))
    return file


def _wait(
    processes: Sequence[Process], otherwise: str, reached: Callable[[Process], bool] = Process.ready
) -> None:
    for process in processes:
        try:
            ready = wait_until(partial(reached, process), READY_SECONDS)
        except RuntimeError as error:
            raise CannotStart(f"{otherwise} ({error})") from None
        if not ready:
            raise CannotStart(otherwise)
