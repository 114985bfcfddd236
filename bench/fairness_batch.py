"""What a job costs live cameras, and what it gets beside them, on one machine.

    MODEL_DIR=… python -m bench.fairness_batch [--footage FOLDER] [--rate 40] [--seconds 15] [--workers 2] [--full]

Three rows on one private RabbitMQ: live frames at `--rate` a second alone; the same beside a job that never ends, with
`--workers` workers of the batch lane at their usual share; and, with --full, more live frames than the live workers can
compute, alone and beside the job, which `framefleet batch` runs in a process of its own. Live frames are sent by this
process in the compact form; their age is from sending to result, as it hears it. "of the job" is its items a second,
and as a share of what they are without live frames.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.batch import write
from bench.command import footage_command
from bench.machine import facts
from bench.pictures import pictures
from bench.processes import Process, broker, running
from bench.tables import table
from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Publisher, aio
from contract.result import parse_result
from contract.task import Task, TaskForm, encode_task
from contract.topology import RESULT_QUEUE, TASK_QUEUE

ITEMS = "framefleet_job_items_total"


class Cameras:
    """Sends live frames at a steady rate, and hears their results."""

    def __init__(self, url: str, images: Sequence[bytes]) -> None:
        self._images = images
        self._publisher = Publisher(window=5_000)
        self._consumer = Consumer(RESULT_QUEUE, self._heard, prefetch=1_000)
        self._connection = Connection(AsyncioLoop(), [url], "bench", [self._publisher, self._consumer])
        self.ages: list[float] = []

    async def __aenter__(self) -> "Cameras":
        self._connection.start()
        while not (self._publisher.usable and self._consumer.subscribed):
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        await aio.stop(self._connection)

    async def send(self, rate: float, seconds: float) -> None:
        """Send for so long."""
        began, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            while sent < elapsed * rate:
                image = self._images[sent % len(self._images)]
                task = encode_task(
                    Task(
                        image=image,
                        timestamp=time.time(),
                        camera_id=f"c-{sent % 20}",
                        frame_id=f"{began}:{sent}",
                    ),
                    TaskForm.COMPACT,
                )
                self._publisher.publish(Message("", TASK_QUEUE, task.body, task.content_type, task.headers))
                sent += 1
            await asyncio.sleep(0.002)

    def _heard(self, delivery: Delivery) -> None:
        delivery.ack()
        result = parse_result(delivery.body)
        if result.status == "ok":
            self.ages.append(time.time() - result.original_timestamp)


async def measure(
    url: str, images: Sequence[bytes], rate: float, seconds: float, batch: Sequence[Process]
) -> tuple[float, float, float, float]:
    """Live results a second, their p50 and p95, and the job's items a second."""
    async with Cameras(url, images) as cameras:
        if rate:
            await cameras.send(rate, 3)  # what starts is not measured
        cameras.ages.clear()
        before, began = sum(process.metric(ITEMS) for process in batch), time.monotonic()
        await (cameras.send(rate, seconds) if rate else asyncio.sleep(seconds))
        took = time.monotonic() - began
        items = sum(process.metric(ITEMS) for process in batch) - before
        ages = cameras.ages or [0.0]
        cuts = statistics.quantiles(ages, n=20) if len(ages) > 1 else ages * 19
        live = len(cameras.ages) / took
        await asyncio.sleep(2)  # what waits is computed or expires before the next row
    return live, cuts[9], cuts[18], items / took


async def work(
    arguments: argparse.Namespace, url: str, folder: Path, processes: list[Process]
) -> list[list[str]]:
    images = pictures(arguments.footage)
    write(folder / "in", images, arguments.items)
    for lane, count in (("live", arguments.workers), ("batch", arguments.workers)):
        processes += [
            Process("worker", url, WORKER_LANE=lane, NODE_ID=f"{lane}-{n}", WORKER_CACHE_ENTRIES="0")
            for n in range(count)
        ]
    while not all([await asyncio.to_thread(process.ready) for process in processes]):
        await asyncio.sleep(0.2)
    batch = processes[arguments.workers : 2 * arguments.workers]
    rates = [arguments.rate, *([arguments.overload] if arguments.full else [])]
    alone = [await measure(url, images, rate, arguments.seconds, batch) for rate in rates]
    rows = [row(f"live at {rate:.0f}/s alone", each, None) for rate, each in zip(rates, alone, strict=True)]
    told = ["--jobs", str(folder / "jobs"), "--concurrency", str(arguments.concurrency), "--no-cache"]
    job = Process("cli", url, ["batch", str(folder / "in"), *told])
    processes.append(job)
    await asyncio.sleep(5)
    free = await measure(url, images, 0, arguments.seconds, batch)
    rows.append(row("the job alone", free, free[3]))
    for rate in rates:
        found = await measure(url, images, rate, arguments.seconds, batch)
        rows.append(row(f"live at {rate:.0f}/s beside the job", found, free[3]))
    job.alive()  # else it ended while it was measured: --items more
    return rows


def row(name: str, found: tuple[float, float, float, float], free: float | None) -> list[str]:
    """A line of the table."""
    live, p50, p95, items = found
    share = "" if not free else f"{100 * items / free:.0f} %"
    return [name, f"{live:.1f}", f"{1000 * p50:.0f}", f"{1000 * p95:.0f}", f"{items:.1f}", share]


def main() -> None:
    parser = footage_command(__doc__)
    add = parser.add_argument
    add("--rate", type=float, default=40.0)
    add("--seconds", type=float, default=15.0)
    add("--workers", type=int, default=2)
    add("--items", type=int, default=20_000)
    add("--concurrency", type=int, default=10)
    add("--overload", type=float, default=1_000.0, help="of --full: live frames a second")
    add("--full", action="store_true", help="also at more live frames than can be computed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, broker() as node, running([]) as processes:
        rows = asyncio.run(work(arguments, node.amqp_url, Path(folder), processes))
    print(f"{facts()}\n{arguments.workers} live workers and {arguments.workers} of the batch lane\n")
    print(table(("", "live/s", "p50 ms", "p95 ms", "of the job", "share"), rows))


if __name__ == "__main__":
    main()
