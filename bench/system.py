"""CPU time of the whole system per frame, process by process, against decode and detect in a bare loop.

    MODEL_DIR=… python -m bench.system [--footage FOLDER] [--seconds 8] [--rates 100,300] [--quick]

The real services as processes on a private RabbitMQ: a producer that passes the JPEGs of a folder on unchanged
from several cameras, two workers, and the gateway with its recorder. At steady rates: of the default ones the
first is far below saturation and the second near it. In both forms of a task; without a viewer, and with one who
watches four cameras with their pictures. The bare loop runs over the same pictures just before. --quick: the
highest rate only, no viewer, half the time.
"""

import itertools
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.sync.client import connect

from bench.bare import bare
from bench.command import command
from bench.machine import cpu_seconds, facts
from bench.pictures import pictures
from bench.processes import Process, broker, running
from bench.tables import table
from cli.ports import LOOPBACK, free_port
from cli.rabbitmq import RabbitMQNode
from cli.wait import wait_until
from contract.task import TaskForm

DETECTOR = "yunet"
CAMERAS = 10
WATCHED = 4
WORKERS = 2
WARM_SECONDS = 4.0
"""Start-up, and until the producer's window has found its size."""
READY_SECONDS = 30.0
BARE_FRAMES = 1000
THINNED = 5
"""Every fifth picture, so that each camera has read all of them once before the measuring begins: a folder's picture is
decoded the first time, to see whether it is intact, and only read after that."""


@dataclass(frozen=True)
class Row:
    """What is sent, how many frames a second are offered, and how many viewers there are."""

    form: TaskForm
    rate: float
    viewers: int


@dataclass(frozen=True)
class Costs:
    """Frames a second, and CPU ms per frame."""

    rate: float
    producer: float
    broker: float
    workers: float
    gateway: float
    bare: float

    @property
    def whole(self) -> float:
        return self.producer + self.broker + self.workers + self.gateway


class System:
    """All services, started and ready."""

    def __init__(self, node: RabbitMQNode, folder: Path, row: Row, processes: list[Process]) -> None:
        url, pid = node.amqp_url, node.pid
        assert pid is not None
        self.port, self.token = free_port(), secrets.token_hex(16)
        gateway = Process(
            "gateway",
            url,
            GATEWAY_PORT=str(self.port),
            GATEWAY_TOKEN=self.token,
            GATEWAY_PRINT_LINK="false",
            GATEWAY_DATA_DIR=str(folder / "gateway"),
        )
        processes.append(gateway)
        processes.extend(
            Process("worker", url, NODE_ID=f"bench-{n}", WORKER_DETECTOR=DETECTOR) for n in range(WORKERS)
        )
        self.workers = processes[1:]
        for process in processes:
            if not wait_until(process.ready, READY_SECONDS):
                raise RuntimeError("a service does not become ready")
        producer = Process(
            "producer",
            url,
            SOURCE=",".join(f"{name}={folder / 'pictures'}" for name in cameras()),
            PRODUCER_FPS=str(row.rate / CAMERAS),
            PRODUCER_FORM=row.form.value,
        )
        processes.append(producer)
        self.pids = {
            "producer": [producer.pid],
            "broker": [pid],
            "workers": [worker.pid for worker in self.workers],
            "gateway": [gateway.pid],
        }

    def look(self) -> tuple[float, float, dict[str, float]]:
        """The time, frames computed so far, and CPU seconds so far by service."""
        frames = sum(worker.metric("cv_frames_processed_total") for worker in self.workers)
        spent = {name: sum(map(cpu_seconds, pids)) for name, pids in self.pids.items()}
        return time.monotonic(), frames, spent


def cameras() -> list[str]:
    """Their ids."""
    return [f"camera-{n}" for n in range(1, CAMERAS + 1)]


@contextmanager
def viewers(count: int, system: System) -> Iterator[None]:
    """So many clients that read whatever the gateway sends them."""
    watched = ",".join(cameras()[:WATCHED])
    address = f"ws://bench:{system.token}@{LOOPBACK}:{system.port}/ws/results?frames=1&cameras={watched}"
    clients = [connect(address, compression=None, max_size=None) for _ in range(count)]
    with ThreadPoolExecutor(max(1, count)) as pool:
        pictures_seen = [
            pool.submit(sum, ('"frame"' in str(message) for message in client)) for client in clients
        ]
        try:
            yield
        finally:
            for client in clients:
                client.close()
    if not all(seen.result() for seen in pictures_seen):
        raise RuntimeError("a viewer saw no picture")


def measure(row: Row, images: Sequence[bytes], seconds: float) -> Costs:
    """One row on a fresh system."""
    alone = bare(DETECTOR, images, BARE_FRAMES)
    with tempfile.TemporaryDirectory() as name, broker() as node, running([]) as processes:
        folder = Path(name)
        (folder / "pictures").mkdir()
        for n, image in enumerate(images):
            (folder / "pictures" / f"{n:05}.jpg").write_bytes(image)
        system = System(node, folder, row, processes)
        with viewers(row.viewers, system):
            time.sleep(WARM_SECONDS)
            begun, before, spent_before = system.look()
            time.sleep(seconds)
            ended, after, spent = system.look()
    frames = after - before
    per_frame = {name: 1000 * (spent[name] - spent_before[name]) / frames for name in spent}
    return Costs(frames / (ended - begun), **per_frame, bare=alone)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each row")
    parser.add_argument("--rates", default="100,300", help="frames a second of all cameras together")
    arguments = parser.parse_args()
    rates = sorted(map(float, arguments.rates.split(",")))
    seconds, watching = arguments.seconds, [0, 1]
    if arguments.quick:
        rates, seconds, watching = rates[-1:], seconds / 2, [0]
    images = pictures(arguments.footage)[::THINNED]
    lines: list[Sequence[object]] = []
    for rate, count, form in itertools.product(rates, watching, TaskForm):
        row = Row(form, rate, count)
        print(f"{form.value}, {rate:.0f} frames/s, {count} viewers …", file=sys.stderr)
        lines.append(line(row, measure(row, images, seconds)))
    size = statistics.mean(len(image) for image in images) / 1000
    print(
        f"{facts()}\n{CAMERAS} cameras, {WORKERS} workers, pictures of {size:.0f} KB on average, {seconds:.0f} s "
        "a row, CPU ms per frame\n"
    )
    heads = ("form", "offered", "viewers", "frames/s", "producer", "broker", "workers", "gateway", "whole")
    print(table((*heads, "bare decode + detect", "ratio"), lines))


def line(row: Row, costs: Costs) -> tuple[object, ...]:
    """A row's cells."""
    parts = (costs.producer, costs.broker, costs.workers, costs.gateway, costs.whole, costs.bare)
    return (
        row.form.value,
        f"{row.rate:.0f}",
        row.viewers,
        f"{costs.rate:.0f}",
        *(f"{milliseconds:.2f}" for milliseconds in parts),
        f"{costs.whole / costs.bare:.2f}",
    )


if __name__ == "__main__":
    main()
