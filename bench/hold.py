"""One worker over many frames: how soon it computes its first one, and whether its memory stays flat.

    MODEL_DIR=… python -m bench.hold [--footage FOLDER] [--frames 100000] [--quick]

A private RabbitMQ, one worker, and a queue that never runs empty, with pictures of several sizes among them. The
time of the first frame is from the start of the process to its first confirmed result, with the queue full
already. --quick: 10,000 frames. WORKER_DETECTOR and its kin choose what the worker does.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

from bench.command import command
from bench.load import Load, load
from bench.machine import facts, resident_megabytes
from bench.pictures import pictures
from bench.processes import Process, broker, running
from bench.tables import table
from cli.rabbitmq import RabbitMQNode
from contract.task import TaskForm

BACKLOG = 300
"""Frames that wait at least, while there are any left to send."""
LINES = 10
QUICK_FRAMES = 10_000
SIZES = ((640, 480), (1280, 960), (320, 240), (1000, 562))
LARGE_EVERY = 20
"""One picture in so many has another size than the first."""


def mixed(images: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Mostly pictures of the first size, now and then one of the others."""
    first, *others = images
    return [
        others[n // LARGE_EVERY % len(others)][n % len(first)] if n % LARGE_EVERY == 0 else image
        for n, image in enumerate(first)
    ]


async def hold(
    node: RabbitMQNode, images: Sequence[bytes], frames: int
) -> tuple[float, list[tuple[int, float, float]]]:
    """Seconds to the first result; and after each tenth the results so far, resident MB now and at most."""
    looks: list[tuple[int, float, float]] = []
    first = asyncio.Event()
    begun = ended = 0.0
    async with load(node.amqp_url, images, TaskForm.BASE64) as sent:
        with running([]) as workers:
            step = frames // LINES

            def heard(number: int) -> None:
                nonlocal ended
                if number == 1:
                    ended = time.monotonic()
                    first.set()
                if number == 1 or number % step == 0:
                    looks.append((number, *resident_megabytes(workers[0].pid)))
                    rate = number / (time.monotonic() - begun)
                    print(f"{number} of {frames} frames, {rate:.0f}/s …", file=sys.stderr)

            sent.heard = heard
            await sent.fill(BACKLOG)
            begun = time.monotonic()
            workers.append(Process("worker", node.amqp_url, WORKER_STALENESS_SECONDS="100000"))
            await first.wait()
            await feed(sent, frames, workers[0])
    return ended - begun, looks


async def feed(sent: Load, frames: int, worker: Process) -> None:
    """Keep frames waiting until all are sent, then wait for the last result."""
    while sent.results < frames:
        wanted = min(BACKLOG, frames - sent.sent)
        if wanted > 0 and sent.sent - sent.results < 2 * BACKLOG:
            await sent.fill(wanted)
        else:
            worker.alive()
            await asyncio.sleep(0.05)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    arguments = parser.parse_args()
    frames = QUICK_FRAMES if arguments.quick else arguments.frames
    images = mixed([pictures(arguments.footage, size) for size in SIZES])
    with broker() as node:
        seconds, looks = asyncio.run(hold(node, images, frames))
    print(f"{facts()}\nfrom the start of the process to the first result: {seconds:.2f} s\n")
    rows = [(f"{number:,}", f"{now:.0f}", f"{most:.0f}") for number, now, most in looks]
    print(table(("frames", "resident MB", "at most"), rows))


if __name__ == "__main__":
    main()
