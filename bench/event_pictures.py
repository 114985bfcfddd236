"""Events of many slow cameras: how many have a picture, and what that costs workers and gateway a frame.

    MODEL_DIR=… python -m bench.event_pictures [--cameras 300] [--fps 0.1] [--seconds 120] [--root CHECKOUT]

The real services as processes on a private RabbitMQ: two workers and the gateway with its recorder. Each camera shows a
face for one to three frames and then nobody for longer than an event bears (GATEWAY_HISTORY_GAP_SECONDS). `--root` is
another checkout to measure, for a comparison.
"""

import asyncio
import io
import json
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request

from PIL import Image

from bench.command import plain_command
from bench.machine import cpu_seconds, facts, family
from bench.pictures import pictures
from bench.processes import ROOT, Process, broker, running
from bench.tables import table
from broker import AsyncioLoop, Connection, Message, Outcome, Publisher, aio
from cli.ports import LOOPBACK, free_port
from cli.wait import wait_until
from contract.task import Task, TaskForm, encode_task
from contract.topology import TASK_QUEUE
from runtime.loopback import open_directly

WORKERS = 2
GAP_SECONDS = 15.0
LATE_SECONDS = 10.0
"""Until the pictures of the last events are there."""
MOST_FRAMES = 3
READY_SECONDS = 60.0
BACKLOG_SECONDS = 240.0
"""For what a busy machine has not computed by the end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured."""

    cameras: int
    fps: float
    seconds: float
    root: Path


def empty(size: tuple[int, int] = (640, 480)) -> bytes:
    """A picture without a face, about as large as one with."""
    noise = Image.frombytes("L", size, random.Random(1).randbytes(size[0] * size[1]))
    out = io.BytesIO()
    noise.convert("RGB").save(out, "JPEG", quality=20)
    return out.getvalue()


def presence(pause: int, chance: random.Random) -> Iterator[bool]:
    """Frame by frame, whether there is a face."""
    yield from [False] * chance.randrange(pause + MOST_FRAMES)
    while True:
        yield from [True] * chance.randint(1, MOST_FRAMES)
        yield from [False] * chance.randint(pause, pause + 2)


async def send(url: str, asked: Asked) -> int:
    """Send every camera's frames at their times; how many were sent."""
    faces, nobody, chance = pictures(None), empty(), random.Random(7)
    pause = int(GAP_SECONDS * asked.fps) + 1
    cameras = [(f"cam-{n}", presence(pause, chance)) for n in range(asked.cameras)]
    publisher = Publisher(window=1_000)
    connection = Connection(AsyncioLoop(), [url], "bench", [publisher])
    connection.start()
    while not publisher.usable:
        await asyncio.sleep(0.01)
    step = 1 / (asked.cameras * asked.fps)
    begun, sent, under_way = time.monotonic(), 0, set[asyncio.Task[Outcome]]()
    while time.monotonic() - begun < asked.seconds:
        camera_id, seen = cameras[sent % len(cameras)]
        image = chance.choice(faces) if next(seen) else nobody
        task = encode_task(
            Task(image=image, timestamp=time.time(), camera_id=camera_id, frame_id=f"{camera_id}:{sent}"),
            TaskForm.COMPACT,
        )
        message = Message("", TASK_QUEUE, task.body, task.content_type, task.headers)
        under_way.add(publishing := asyncio.create_task(aio.publish(publisher, message)))
        publishing.add_done_callback(under_way.discard)
        sent += 1
        await asyncio.sleep(max(0.0, begun + sent * step - time.monotonic()))
    await asyncio.gather(*under_way)
    await aio.stop(connection)
    return sent


def computed(workers: list[Process]) -> float:
    """How many frames they have computed."""
    return sum(worker.metric("cv_frames_processed_total") for worker in workers)


def main() -> None:
    """Measure and print."""
    parser = plain_command(__doc__)
    parser.add_argument("--cameras", type=int, default=300)
    parser.add_argument("--fps", type=float, default=0.1, help="frames a second of each camera")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose services are measured")
    arguments = parser.parse_args()
    asked = Asked(arguments.cameras, arguments.fps, arguments.seconds, arguments.root)
    token, port = secrets.token_hex(16), free_port()
    with tempfile.TemporaryDirectory() as folder, broker() as node, running([]) as processes:
        processes += [
            Process(
                "worker",
                node.amqp_url,
                (),
                0,
                asked.root,
                NODE_ID=f"bench-{n}",
                WORKER_DETECTOR="yunet",
                WORKER_STALENESS_SECONDS="60",  # a busy machine must not lose what is counted
            )
            for n in range(WORKERS)
        ]
        gateway = Process(
            "gateway",
            node.amqp_url,
            (),
            0,
            asked.root,
            GATEWAY_PORT=str(port),
            GATEWAY_TOKEN=token,
            GATEWAY_PRINT_LINK="false",
            GATEWAY_DATA_DIR=folder,
            GATEWAY_MAX_UNANNOUNCED_CAMERAS=str(10_000),
            GATEWAY_HISTORY_GAP_SECONDS=str(GAP_SECONDS),
        )
        processes.append(gateway)
        for process in processes:
            if not wait_until(process.ready, READY_SECONDS):
                raise RuntimeError("a service does not become ready")
        assert node.pid is not None
        pids = {
            "workers": [each.pid for each in processes[:WORKERS]],
            "gateway": [gateway.pid],
            "broker": [node.pid, *family(node.pid)],
        }
        before = {name: sum(map(cpu_seconds, each)) for name, each in pids.items()}
        frames = asyncio.run(send(node.amqp_url, asked))
        wait_until(lambda: computed(processes[:WORKERS]) >= frames, BACKLOG_SECONDS)
        time.sleep(LATE_SECONDS)
        spent = {name: sum(map(cpu_seconds, each)) - before[name] for name, each in pids.items()}
        export = Request(
            f"http://{LOOPBACK}:{port}/api/events/export?format=ndjson",
            headers={"Authorization": f"Bearer {token}"},
        )
        with open_directly(export, timeout=30) as answer:
            events = [json.loads(line) for line in answer.read().splitlines()]
        done = computed(processes[:WORKERS])
        outcomes = gateway.metrics().by("outcome", "gateway_thumbnails_total")
    shown = sum(event["thumbnail"] is not None for event in events)
    print(f"{facts()}\n")
    sent = f"{frames} frames sent, {done:.0f} computed"
    print(f"{asked.cameras} cameras x {asked.fps:g} fps for {asked.seconds:g} s: {sent}\n")
    rows = [[name, f"{1000 * seconds / done:.2f}"] for name, seconds in spent.items()]
    print(table(["part", "CPU ms a frame"], rows))
    print(f"\n{shown} of {len(events)} events have a picture ({shown / max(1, len(events)):.1%}); {outcomes}")


if __name__ == "__main__":
    main()
