"""What RabbitMQ and our client cost per frame: publishing, consuming, quorum and classic, base64 and compact.

    python -m bench.broker [--frames 1500] [--rounds 3]

Every row is measured once per round, the rows interleaved; medians over the rounds. CPU is user and system time of
this process (client) and of the broker's; bytes are what the broker's process had written to disk.
"""

import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from bench.command import plain_command
from bench.machine import cpu_seconds, facts
from bench.tables import table
from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, aio
from cli.rabbitmq import RabbitMQNode
from contract.task import Task, TaskForm, encode_task
from contract.topology import Queue, Topology

KB = 1000
WINDOW = 50


@dataclass(frozen=True)
class Row:
    size: int  # bytes of the picture
    queue: str  # quorum or classic
    form: TaskForm
    prefetch: int

    def __str__(self) -> str:
        return f"{self.size // KB} KB | {self.queue} | {self.form.value} | {self.prefetch}"


ROWS = [
    *(Row(size * KB, "quorum", form, 1) for size, form in itertools.product((30, 70, 150), TaskForm)),
    *(Row(30 * KB, "quorum", TaskForm.BASE64, prefetch) for prefetch in (2, 4)),
    Row(30 * KB, "classic", TaskForm.BASE64, 1),
]


@dataclass(frozen=True)
class Cost:
    publishes: float  # confirmed per second
    publish_client: float  # CPU ms per frame
    publish_broker: float
    written: float  # KB per frame
    consumes: float  # acknowledged per second
    consume_client: float
    consume_broker: float

    @property
    def cells(self) -> tuple[str, ...]:
        """Rates without decimals, the rest with what they need."""
        return tuple(
            f"{value:.0f}" if name in ("publishes", "written", "consumes") else f"{value:.3f}"
            for name, value in vars(self).items()
        )


class Meter:
    """CPU of both sides and bytes to disk, between two looks."""

    def __init__(self, broker: int) -> None:
        self._broker = broker
        self.wall, self.client, self.server, self.bytes = self._look()

    def _look(self) -> tuple[float, float, float, float]:
        io = dict(line.split(": ") for line in Path(f"/proc/{self._broker}/io").read_text().splitlines())
        return time.monotonic(), cpu_seconds(os.getpid()), cpu_seconds(self._broker), float(io["write_bytes"])

    def per(self, frames: int) -> tuple[float, float, float, float]:
        """Frames per second, client CPU ms, broker CPU ms and KB written per frame since the last look."""
        wall, client, server, written = self._look()
        return (
            frames / (wall - self.wall),
            1000 * (client - self.client) / frames,
            1000 * (server - self.server) / frames,
            (written - self.bytes) / KB / frames,
        )


async def measure(row: Row, node: RabbitMQNode, frames: int) -> Cost:
    """Fill a queue with confirmed tasks, then take them out with acknowledgements."""
    name = f"bench-{row.queue}"
    publisher = Publisher(window=WINDOW)
    topology = Topology(exchanges=(), queues=(Queue(name, {"x-queue-type": row.queue}),))
    sending = Connection(AsyncioLoop(), [node.amqp_url], "bench sends", [publisher], topology=topology)
    sending.start()
    while not publisher.usable:
        await asyncio.sleep(0.01)
    pid = node.pid
    assert pid is not None
    image = random.Random(1).randbytes(row.size)
    slots = asyncio.Semaphore(WINDOW - 1)

    async def publish(n: int) -> None:
        async with slots:
            task = encode_task(Task(image=image, timestamp=1.0, camera_id="c", frame_id=str(n)), row.form)
            message = Message("", name, task.body, task.content_type, task.headers or None)
            assert await aio.publish(publisher, message) is Outcome.CONFIRMED

    meter = Meter(pid)
    await asyncio.gather(*(publish(n) for n in range(frames)))
    published = meter.per(frames)
    await aio.stop(sending)

    seen = 0
    done = asyncio.Event()

    def take(delivery: Delivery) -> None:
        nonlocal seen
        delivery.ack()
        seen += 1
        if seen == frames:
            done.set()

    consumer = Consumer(name, take, prefetch=row.prefetch)
    taking = Connection(AsyncioLoop(), [node.amqp_url], "bench takes", [consumer], topology=topology)
    meter = Meter(pid)
    taking.start()
    await asyncio.wait_for(done.wait(), 120)
    consumed = meter.per(frames)
    await aio.stop(taking)
    return Cost(*published, *consumed[:3])


def main() -> None:
    parser = plain_command(__doc__)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    costs: dict[Row, list[Cost]] = {row: [] for row in ROWS}
    with tempfile.TemporaryDirectory() as folder:
        node = RabbitMQNode(Path(folder), name="bench")
        node.start()
        try:
            for round_, row in itertools.product(range(arguments.rounds + 1), ROWS):
                print(f"round {round_} of {arguments.rounds}: {row}", file=sys.stderr)
                cost = asyncio.run(measure(row, node, arguments.frames))
                if round_:  # the first round warms the broker up
                    costs[row].append(cost)
        finally:
            node.stop()
    print(
        f"{facts()}\n{arguments.frames} frames a row, medians of {arguments.rounds} rounds, "
        f"window of {WINDOW} confirms\n"
    )
    heads = ("picture", "queue", "form", "prefetch", "confirmed/s", "client ms", "broker ms", "KB to disk")
    rows = []
    for row, each in costs.items():
        middle = Cost(
            *(statistics.median(column) for column in zip(*(astuple(cost) for cost in each), strict=True))
        )
        rows.append((*str(row).split(" | "), *middle.cells))
    print(table((*heads, "acknowledged/s", "client ms", "broker ms"), rows))


if __name__ == "__main__":
    main()
