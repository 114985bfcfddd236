"""Frames per second and per worker CPU second of two workers, against the plain design, on the same frames.

    python -m bench.throughput [--footage FOLDER_OR_FILE] [--frames 600] [--rounds 3]

Without footage the demo cameras' pictures are used. The kinds take turns within each round on one private
RabbitMQ; the queue is filled first, so that only workers and broker are measured. Medians over the rounds.
YuNet needs MODEL_DIR or its model in the cache.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2

from bench.machine import cpu_seconds, facts
from broker import AsyncioLoop, Connection, Consumer, Message, Outcome, Publisher, aio
from cli.rabbitmq import RabbitMQNode
from contract.task import Task, TaskForm, encode_task
from contract.topology import RESULT_QUEUE, TASK_QUEUE

WORKERS = 2
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Kind:
    name: str
    module: str
    form: TaskForm
    environment: dict[str, str]


KINDS = (
    Kind("plain design (Haar 1.1/4)", "bench.plain_worker", TaskForm.BASE64, {}),
    Kind("framefleet, haar, base64", "worker", TaskForm.BASE64, {"WORKER_DETECTOR": "haar"}),
    Kind("framefleet, yunet, base64", "worker", TaskForm.BASE64, {"WORKER_DETECTOR": "yunet"}),
    Kind("framefleet, yunet, compact", "worker", TaskForm.COMPACT, {"WORKER_DETECTOR": "yunet"}),
)


def pictures(footage: Path | None, size: tuple[int, int] = (640, 480)) -> list[bytes]:
    """JPEGs of the footage at `size`, quality 85, or of the demo cameras."""
    if footage is None:
        from producer.sources.demo import SCENES, jpeg

        return [jpeg(1 + n % SCENES, n) for n in range(60)]
    import av

    files = sorted(footage.iterdir()) if footage.is_dir() else [footage]
    found = []
    for file in files:
        with av.open(str(file)) as container:
            for n, frame in enumerate(container.decode(video=0)):
                if n % 10 == 0:
                    image = cv2.resize(frame.to_ndarray(format="bgr24"), size)
                    found.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return found


async def run(kind: Kind, url: str, images: list[bytes], frames: int) -> tuple[float, float]:
    """Frames per second, and per CPU second of the workers."""
    seen = 0
    half: list[float] = []
    done = asyncio.Event()

    def count(delivery: object) -> None:
        nonlocal seen
        seen += 1
        if seen in (warm, frames):
            half.append(time.monotonic())
            cpu.append(sum(cpu_seconds(worker.pid) for worker in workers))
        if seen == frames:
            done.set()

    warm = frames // 5  # start-up and the first inferences are not measured
    cpu: list[float] = []
    workers: list[subprocess.Popen[bytes]] = []
    publisher = Publisher(window=10_000)
    results = Consumer(RESULT_QUEUE, count, no_ack=True)
    connection = Connection(AsyncioLoop(), [url], "bench", [publisher, results])
    connection.start()
    while not (publisher.usable and results.subscribed):
        await asyncio.sleep(0.01)
    for n in range(frames):
        image = images[n % len(images)]
        task = encode_task(
            Task(image=image, timestamp=time.time(), camera_id=f"c-{n % 50}", frame_id=f"{kind.name}:{n}"),
            kind.form,
        )
        sent = Message("", TASK_QUEUE, task.body, task.content_type, task.headers)
        assert await aio.publish(publisher, sent) is Outcome.CONFIRMED
    common = {
        "AMQP_URL": url,
        "WORKER_STALENESS_SECONDS": "100000",
        "WORKER_METRICS_PORT": "0",
        "LOG_LEVEL": "error",
    }
    for n in range(WORKERS):
        environment = {**os.environ, **common, **kind.environment, "NODE_ID": f"bench-{n}"}
        if kind.module != "worker":
            environment = {key: value for key, value in environment.items() if not key.startswith("WORKER_")}
        workers.append(subprocess.Popen([sys.executable, "-m", kind.module], cwd=ROOT, env=environment))
    try:
        await asyncio.wait_for(done.wait(), 300)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(10)
    await aio.stop(connection)
    computed = frames - warm
    return computed / (half[1] - half[0]), computed / (cpu[1] - cpu[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--footage", type=Path)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    images = pictures(arguments.footage)
    size = statistics.mean(len(image) for image in images) / 1000
    print(
        f"{facts()}\n{len(images)} pictures of {size:.0f} KB on average, {WORKERS} workers, "
        f"medians of {arguments.rounds} rounds\n"
    )
    rates: dict[str, list[tuple[float, float]]] = {kind.name: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        node = RabbitMQNode(Path(folder), name="bench")
        node.start()
        try:
            for round_ in range(arguments.rounds):
                for kind in KINDS:
                    frames = arguments.frames if kind.module == "worker" else max(60, arguments.frames // 5)
                    print(f"round {round_ + 1}: {kind.name} …", file=sys.stderr)
                    rates[kind.name].append(asyncio.run(run(kind, node.amqp_url, images, frames)))
        finally:
            node.stop()
    print("| design | frames/s | ratio | frames per worker CPU s | ratio |\n| --- | --- | --- | --- | --- |")
    plain = rates[KINDS[0].name]
    for name, each in rates.items():
        ratios = [(a[0] / b[0], a[1] / b[1]) for a, b in zip(each, plain, strict=True)]
        columns = [
            statistics.median(column) for column in (*zip(*each, strict=True), *zip(*ratios, strict=True))
        ]
        print(f"| {name} | {columns[0]:.0f} | {columns[2]:.1f} | {columns[1]:.0f} | {columns[3]:.1f} |")


if __name__ == "__main__":
    main()
