"""What tracing costs a worker, in CPU time per frame: switched off, and with one frame in a hundred traced.

    MODEL_DIR=… python -m bench.tracing [--base CHECKOUT] [--rounds 40] [--frames 60] [--detector yunet] [--quick]

Workers wait side by side, each with a queue of its own on a private RabbitMQ, and take turns with the same frames, as
many times as there are rounds: what else happens on the machine hits all alike. A figure is the median over the rounds
of a worker's CPU time by that of the first worker in the same round. The second worker is like the first: what it shows
is the floor, below which this machine can tell nothing. `--base` is a checkout of a time without tracing, whose workers
then come first. The last lines are what tracing adds, measured by itself (`bench/trace_hops.py`).
"""

import argparse
import asyncio
import contextlib
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.command import command
from bench.machine import cpu_seconds, facts
from bench.pictures import pictures
from bench.processes import ROOT, Process, broker, running
from bench.tables import table
from bench.trace_hops import hop_costs
from broker import AsyncioLoop, Connection, Consumer, Message, Outcome, Publisher, aio
from cli.rabbitmq import USER, RabbitMQNode
from contract.task import Task, encode_task
from contract.topology import RESULT_QUEUE, TASK_QUEUE
from contract.trace_context import TRACEPARENT, TraceContext, new_span_id, new_trace_id

SAMPLE = 0.01
WARM_ROUNDS = 2
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Variant:
    """A kind of worker. `traced`: it exports, and its frames come from producers that trace."""

    name: str
    root: Path
    traced: bool = False


class Turn:
    """A worker with its queue; `run` is one turn of it."""

    def __init__(self, url: str, worker: Process, images: Sequence[bytes], *, traced: bool) -> None:
        self._worker = worker
        self._images = images
        self._traced = traced
        self._results = 0
        self._publisher = Publisher(window=1_000)
        self._consumer = Consumer(RESULT_QUEUE, self._count, no_ack=True)
        self._url = url
        self._connection: Connection

    async def open(self) -> None:
        self._connection = Connection(AsyncioLoop(), [self._url], "bench", [self._publisher, self._consumer])
        self._connection.start()
        while not (self._publisher.usable and self._consumer.subscribed and self._worker.ready()):
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        await aio.stop(self._connection)

    async def run(self, frames: int) -> float:
        """CPU milliseconds per frame of this turn."""
        before, self._results = cpu_seconds(self._worker.pid), 0
        await asyncio.gather(*(self._send(n) for n in range(frames)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._results < frames:
                self._worker.alive()
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)  # the last acknowledgement
        return 1000 * (cpu_seconds(self._worker.pid) - before) / frames

    async def _send(self, n: int) -> None:
        image = self._images[n % len(self._images)]
        frame = Task(image=image, timestamp=time.time(), camera_id=f"c-{n}", frame_id=f"{n}:{time.time_ns()}")
        task = encode_task(frame)
        headers = dict(task.headers)
        if self._traced:
            chosen = random.random() < SAMPLE
            headers[TRACEPARENT] = TraceContext(new_trace_id(), new_span_id(), chosen).header
        message = Message("", TASK_QUEUE, task.body, task.content_type, headers or None)
        outcome = await aio.publish(self._publisher, message)
        assert outcome is Outcome.CONFIRMED, outcome

    def _count(self, _delivery: object) -> None:
        self._results += 1


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """Takes spans and forgets them; the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def own_url(node: RabbitMQNode, name: str) -> str:
    """A virtual host of its own for a worker."""
    node.ctl("add_vhost", name)
    node.ctl("set_permissions", "-p", name, USER, ".*", ".*", ".*")
    return f"{node.amqp_url}{name}"


def compared(spent: Mapping[str, Sequence[float]]) -> list[tuple[str, str, str, str]]:
    """A row for each kind: CPU ms per frame, by how many per cent of the first that is more, and the middle half."""
    first = next(iter(spent.values()))
    rows = []
    for name, each in spent.items():
        more = [100 * (mine / base - 1) for mine, base in zip(each, first, strict=True)]
        low, _, high = statistics.quantiles(more, n=4)
        rows.append(
            (
                name,
                f"{statistics.median(each):.3f}",
                f"{statistics.median(more):+.2f} %",
                f"{low:+.1f} … {high:+.1f} %",
            )
        )
    return rows


async def measure(turns: Mapping[str, Turn], rounds: int, frames: int) -> dict[str, list[float]]:
    """CPU ms per frame by kind, round by round; each round in another order."""
    spent: dict[str, list[float]] = {name: [] for name in turns}
    async with AsyncExitStack() as stack:
        for turn in turns.values():
            await turn.open()
            stack.push_async_callback(turn.close)
        for number in range(rounds + WARM_ROUNDS):
            for name in random.sample(list(turns), len(turns)):
                cost = await turns[name].run(frames)
                if number >= WARM_ROUNDS:
                    spent[name].append(cost)
    return spent


def run(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Start everything and measure."""
    rounds, frames = (7, 20) if arguments.quick else (arguments.rounds, arguments.frames)
    images = pictures(arguments.footage)[:frames]
    variants = [Variant("off", ROOT), Variant("off again", ROOT), Variant("1 % traced", ROOT, traced=True)]
    if arguments.base is not None:
        base = arguments.base.resolve()
        variants = [Variant("without tracing", base), Variant("without tracing again", base), *variants]
    with broker() as node, collector() as endpoint, running([]) as workers:
        turns = {}
        for number, variant in enumerate(variants):
            url = own_url(node, f"v{number}")
            settings = {"WORKER_DETECTOR": arguments.detector, "WORKER_STALENESS_SECONDS": "100000"}
            if variant.traced:
                settings |= {"TRACES_ENDPOINT": endpoint, "TRACES_SAMPLE": str(SAMPLE)}
            worker = Process("worker", url, (), 0, variant.root, **settings)
            workers.append(worker)
            turns[variant.name] = Turn(url, worker, images, traced=variant.traced)
        return asyncio.run(measure(turns, rounds, frames))


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--base", type=Path, help="a checkout of a time without tracing")
    parser.add_argument("--rounds", type=int, default=40, help="at least 7 (default: 40)")
    parser.add_argument("--frames", type=int, default=60, help="of each worker in each round (default: 60)")
    parser.add_argument("--detector", default="yunet", help="haar, yunet, … (default: yunet)")
    arguments = parser.parse_args()
    spent = run(arguments)
    print(f"{facts()}\n{len(next(iter(spent.values())))} rounds, {arguments.detector}\n")
    print(table(("worker", "CPU ms per frame", "more than the first", "half of the rounds"), compared(spent)))
    whole = 1000 * statistics.median(next(iter(spent.values())))
    with collector() as endpoint:
        untraced, traced = hop_costs(endpoint)
    mean = (1 - SAMPLE) * untraced + SAMPLE * traced
    print(f"\nby itself: an untraced frame {untraced:.1f} µs, a traced one {traced:.0f} µs;")
    print(f"with {SAMPLE:.0%} traced {mean:.1f} µs per frame, {mean / whole:.2%} of the first worker's")


if __name__ == "__main__":
    main()
