"""Frames into the task queue, results out of the result queue, from this process."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.machine import cpu_seconds
from bench.processes import Process, running
from broker import AsyncioLoop, Connection, Consumer, Message, Outcome, Publisher, aio
from contract.task import Task, TaskForm, encode_task
from contract.topology import RESULT_QUEUE, TASK_QUEUE

WINDOW = 100
CAMERAS = 50
PATIENCE_SECONDS = 300
WARM_UP = 5
"""One frame in so many: start-up and the first inferences are not measured."""


class Load:
    """Sends pictures in turn, and counts results. `heard` is told the number of results so far, from 1 on."""

    def __init__(self, url: str, images: Sequence[bytes], form: TaskForm) -> None:
        self.heard: Callable[[int], None] = lambda _number: None
        self.results = 0
        self.sent = 0
        self._images = images
        self._form = form
        self._slots = asyncio.Semaphore(WINDOW)
        self._publisher = Publisher(window=2 * WINDOW)
        self._consumer = Consumer(RESULT_QUEUE, self._count, no_ack=True)
        self._connection = Connection(AsyncioLoop(), [url], "bench", [self._publisher, self._consumer])

    async def open(self) -> None:
        self._connection.start()
        while not (self._publisher.usable and self._consumer.subscribed):
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await aio.stop(self._connection)

    async def fill(self, frames: int) -> None:
        """Send so many frames; returns when all are confirmed."""
        numbers = range(self.sent, self.sent + frames)
        self.sent += frames
        await asyncio.gather(*(self._send(n) for n in numbers))

    async def _send(self, n: int) -> None:
        async with self._slots:
            task = encode_task(
                Task(
                    image=self._images[n % len(self._images)],
                    timestamp=time.time(),
                    camera_id=f"c-{n % CAMERAS}",
                    frame_id=f"bench:{n}",
                ),
                self._form,
            )
            message = Message("", TASK_QUEUE, task.body, task.content_type, task.headers)
            outcome = await aio.publish(self._publisher, message)
            assert outcome is Outcome.CONFIRMED, outcome

    def _count(self, _delivery: object) -> None:
        self.results += 1
        self.heard(self.results)


@asynccontextmanager
async def load(url: str, images: Sequence[bytes], form: TaskForm) -> AsyncIterator[Load]:
    """An open Load; closed at the end."""
    opened = Load(url, images, form)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@dataclass(frozen=True)
class Rate:
    """Frames per second, and per CPU second of the workers."""

    per_second: float
    per_cpu_second: float


async def drain(
    url: str, images: Sequence[bytes], form: TaskForm, frames: int, start: Callable[[], list[Process]]
) -> Rate:
    """Fill the queue, then start workers and see how fast they empty it. They are stopped at the end."""
    warm = frames // WARM_UP
    marks: list[tuple[float, float]] = []
    done = asyncio.Event()
    async with load(url, images, form) as sent:
        await sent.fill(frames)
        with running([]) as workers:

            def heard(number: int) -> None:
                if number in (warm, frames):
                    marks.append((time.monotonic(), sum(cpu_seconds(worker.pid) for worker in workers)))
                if number == frames:
                    done.set()

            sent.heard = heard
            workers += start()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not done.is_set():
                    for worker in workers:
                        worker.alive()
                    await asyncio.sleep(0.05)
    (begun, before), (ended, after) = marks
    return Rate((frames - warm) / (ended - begun), (frames - warm) / (after - before))
