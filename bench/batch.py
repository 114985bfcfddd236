"""Images a second through the whole cluster, against a plain asyncio loop and a process pool with the same detector.

    MODEL_DIR=… python -m bench.batch [--footage FOLDER] [--images 2000] [--workers 2] [--concurrency 10] [--check]

The same files in one run, each row with as many processes that compute:

    gather       asyncio.gather in one process: read, decode, detect in a thread of its own for each core
    pool         concurrent.futures.ProcessPoolExecutor: the fastest that one machine can do, and nothing survives it
    plain        a careful script over RabbitMQ: quorum queues and confirms, no books, no retries (`bench.plain_job`)
    framefleet   `framefleet batch`: a private RabbitMQ, workers of the batch lane, the books; survives kill -9

"again" is another job over the same files, which finds all results kept, as a share of the first. "memory" is the
client's resident memory at half of the files and at the end. --check: exits with 1 below 0.8 of the plain script, or
where another job costs a tenth or more. How near to the pool a broker comes depends on how long a picture takes: of
YuNet's two milliseconds on a fast core, durability alone takes as much again.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import psutil

from batch import Progress, process_batch
from bench.command import footage_command
from bench.machine import facts
from bench.pictures import pictures
from bench.plain_job import load, plain_job
from bench.processes import Process, broker, running
from bench.tables import table
from cli.rabbitmq import RabbitMQNode

AIM, AIM_AGAIN = 0.8, 0.1


def main() -> int:
    arguments = parsed()
    images = pictures(arguments.footage)
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder) / "in", images, arguments.images)
        print(f"{facts()}\n{len(files)} files, {arguments.workers} processes, {arguments.detector}\n")
        rows: dict[str, float] = {}
        for name, measure in (("gather", gather), ("pool", pool)):
            print(f"{name} …", file=sys.stderr)
            rows[name] = measure(files, arguments.detector, arguments.workers)
        scripted = {n: plain(files, arguments, n) for n in arguments.concurrency}
        cluster = {n: through_cluster(Path(folder), arguments, n) for n in arguments.concurrency}
    measured = [
        *((name, "", took, "") for name, took in rows.items()),
        *(("plain", str(n), took, "") for n, took in scripted.items()),
        *(
            ("framefleet batch", str(n), took, f"{memory}; {told}")
            for n, (took, memory, told, _) in cluster.items()
        ),
    ]
    lines = [
        (name, window, f"{len(files) / took:.0f}", f"{rows['pool'] / took:.2f}", rest)
        for name, window, took, rest in measured
    ]
    print(
        table(("how", "window", "images/s", "of the pool", "client's memory; CPU ms per image; again"), lines)
    )
    best = max(scripted[n] / took for n, (took, *_) in cluster.items())
    dear = any(again >= AIM_AGAIN for *_, again in cluster.values())
    return int(arguments.check and (best < AIM or dear))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = footage_command(__doc__)
    add = parser.add_argument
    add("--images", type=int, default=2000)
    add("--workers", type=int, default=os.cpu_count() or 1)
    add("--concurrency", type=int, nargs="+", default=[10])
    add("--prefetch", type=int, default=1, help="items that a worker of ours holds")
    add("--detector", default="yunet")
    add("--check", action="store_true")
    arguments: argparse.Namespace = parser.parse_args()
    return arguments


def write(folder: Path, images: Sequence[bytes], count: int) -> list[Path]:
    """So many files, none of which is another's copy: the workers' result cache would know it."""
    folder.mkdir()
    files = []
    for number in range(count):
        file = folder / f"{number:06}.jpg"
        file.write_bytes(images[number % len(images)] + number.to_bytes(4, "big"))
        files.append(file)
    return files


_detect: Callable[[bytes], int]


def begin(detector: str) -> None:
    """Prepare a process of the pool."""
    global _detect
    import cv2

    cv2.setNumThreads(1)
    _detect = load(detector)


def one(file: Path) -> int:
    """Compute one file in a process of the pool."""
    return _detect(file.read_bytes())


def pool(files: Sequence[Path], detector: str, workers: int) -> float:
    """Seconds in a process pool, its start left out."""
    with ProcessPoolExecutor(workers, initializer=begin, initargs=(detector,)) as executor:
        list(executor.map(one, files[: 2 * workers]))
        began = time.monotonic()
        for _ in executor.map(one, files, chunksize=8):
            pass
        return time.monotonic() - began


def gather(files: Sequence[Path], detector: str, workers: int) -> float:
    """Seconds in an event loop that hands each file to a thread, as a first script does."""
    detect = load(detector)

    def compute(file: Path) -> int:
        return detect(file.read_bytes())

    async def work() -> float:
        loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(workers)
        began = time.monotonic()
        await asyncio.gather(*(loop.run_in_executor(threads, compute, file) for file in files))
        return time.monotonic() - began

    return asyncio.run(work())


def plain(files: Sequence[Path], arguments: argparse.Namespace, concurrency: int) -> float:
    """Seconds of the plain design, its start left out."""
    print(f"plain, {concurrency} under way …", file=sys.stderr)
    with broker() as node, running([]) as processes:
        for _ in range(arguments.workers):
            processes.append(Process("bench.plain_job", node.amqp_url, [arguments.detector]))
        plain_job(node.amqp_url, files[: 2 * arguments.workers], 1)  # when it ends, the workers are there
        pids = [process.pid for process in processes]
        before = parts(pids, node)
        took = plain_job(node.amqp_url, files, concurrency)
        after = parts(pids, node)
    print(f"  {len(files) / took:.0f}/s; {spent(before, after, len(files))}", file=sys.stderr)
    return took


def through_cluster(
    folder: Path, arguments: argparse.Namespace, concurrency: int
) -> tuple[float, str, str, float]:
    """Seconds through the cluster, its start left out; the client's memory, the CPU time of each part, and what another
    job over the same files costs."""
    os.environ["BATCH_CACHE_DIR"] = str(folder / f"kept-{concurrency}")
    print(f"framefleet, {concurrency} under way …", file=sys.stderr)
    memory: list[int] = []

    def told(progress: Progress) -> None:
        memory.append(resident())

    with broker() as node, running([]) as processes:
        for number in range(arguments.workers):
            processes.append(
                Process(
                    "worker",
                    node.amqp_url,
                    WORKER_LANE="batch",
                    WORKER_BATCH_SHARE="0.5",
                    WORKER_DETECTOR=arguments.detector,
                    PREFETCH=str(arguments.prefetch),
                    NODE_ID=f"b-{number}",
                )
            )
        while not all(process.ready() for process in processes):
            time.sleep(0.1)
        pids = [process.pid for process in processes]
        before = parts(pids, node)
        began = time.monotonic()
        report = process_batch(
            folder / "in",
            told,
            amqp_url=node.amqp_url,
            jobs=folder / f"jobs-{concurrency}",
            concurrency=concurrency,
        )
        took = time.monotonic() - began
        assert report.ok == arguments.images, report
        after = parts(pids, node)
        again = known(folder, node.amqp_url, concurrency)
        twice = parts(pids, node)
    share = again / took, (sum(twice) - sum(after)) / (sum(after) - sum(before))
    told_again = f"again {again:.1f} s, {100 * share[0]:.0f} % of the time, {100 * share[1]:.0f} % of the CPU"
    half, end = memory[len(memory) // 2] >> 20, memory[-1] >> 20
    told_of = spent(before, after, arguments.images)
    print(f"  {arguments.images / took:.0f}/s; {told_of}", file=sys.stderr)
    return took, f"{half} MB, {end} MB", f"{told_of}; {told_again}", max(share)


def parts(workers: Sequence[int], node: RabbitMQNode) -> tuple[float, float, float]:
    """CPU seconds so far of the workers, by their pids, of the broker and of this process, the client."""
    return cpu(workers), cpu([node.process.pid] if node.process else []), own()


def spent(before: Sequence[float], after: Sequence[float], images: int) -> str:
    """Milliseconds of CPU that an image cost each part."""
    each = [1000 * (b - a) / images for a, b in zip(before, after, strict=True)]
    return ", ".join(f"{n} {ms:.2f}" for n, ms in zip(("workers", "broker", "client"), each, strict=True))


def known(folder: Path, amqp_url: str, concurrency: int) -> float:
    """Seconds of another job over the same files."""
    began = time.monotonic()
    report = process_batch(
        folder / "in", amqp_url=amqp_url, jobs=folder / f"again-{concurrency}", concurrency=concurrency
    )
    # Those that were sent before a recipe was heard are computed again.
    assert report.cached >= report.items - 3 * concurrency, report
    return time.monotonic() - began


def resident() -> int:
    """Bytes of this process in memory."""
    return int(psutil.Process().memory_info().rss)


def own() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu(pids: Sequence[int]) -> float:
    """CPU seconds of these processes and all below them."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


if __name__ == "__main__":
    sys.exit(main())
