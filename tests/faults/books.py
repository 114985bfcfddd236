"""The books: which frames were confirmed to the sender, and where each of them ended.

lost = confirmed - (results, expiries among them, or dead letters, or still queued). It must be 0, whatever died.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, QueueDepth, aio
from contract.result import parse_result
from contract.senders import Sender
from contract.task import Task, TaskForm, encode_task
from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, Lane
from tests.helpers.eventually import aeventually

PICTURE = cv2.imencode(".jpg", np.full((48, 64, 3), 127, np.uint8))[1].tobytes()


@dataclass
class Books:
    """What was sent and what came of it. `results` counts per frame_id: more than 1 is a duplicate on the wire."""

    sent: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    expired: set[str] = field(default_factory=set)
    dead: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    result_at: dict[str, float] = field(default_factory=dict)

    @property
    def open(self) -> set[str]:
        """Confirmed, and neither a result nor a dead letter yet: queued, under way, or lost."""
        return self.confirmed - self.results.keys() - self.dead.keys()

    @property
    def duplicates(self) -> int:
        """Results beyond the first of a frame that was sent here: odd messages may name one frame several times."""
        return sum(count - 1 for frame, count in self.results.items() if frame in self.sent)

    def __str__(self) -> str:
        return (
            f"sent {len(self.sent)}, confirmed {len(self.confirmed)}, refused {dict(self.refused)}, "
            f"results {len(self.results)} (expired {len(self.expired)}, duplicates {self.duplicates}), "
            f"dead letters {len(self.dead)} {dict(self.reasons)}, open {len(self.open)}"
        )


class Clerk:
    """A sender and a reader of everything that comes out, on connections of their own that survive faults."""

    def __init__(
        self, urls: list[str], lane: Lane = Lane.LIVE, results: str = RESULT_QUEUE, name: str = "f"
    ) -> None:
        self.books = Books()
        self.lane = lane
        self.name = name
        self.publisher = Publisher(window=5_000)
        self.depth = QueueDepth([lane.queue, RESULT_QUEUE, DEAD_LETTER_QUEUE], every=0.2)
        self.results = Consumer(results, self._result, prefetch=1_000)
        self.dead = Consumer(DEAD_LETTER_QUEUE, self._dead, prefetch=1_000)
        loop = AsyncioLoop()
        self.sending = Connection(loop, urls, "clerk sends", [self.publisher])
        self.reading = Connection(loop, urls, "clerk reads", [self.results, self.dead, self.depth])
        self._numbers = itertools.count()

    async def send(
        self, image: bytes = PICTURE, *, sender: Sender | None = None, **fields: str | float
    ) -> Outcome:
        """Send one frame, perhaps as a named sender; its frame_id is entered, and whether it was confirmed."""
        frame_id = str(fields.get("frame_id", f"{self.name}-{next(self._numbers)}"))
        exchange, queue = "", self.lane.queue
        if sender is not None:
            frame_id, exchange, queue = sender.frame(frame_id), sender.exchange, sender.queue(self.lane)
        task = encode_task(
            Task(
                image=image,
                timestamp=float(fields.get("timestamp", time.time())),
                camera_id=str(fields.get("camera_id", "c")),
                frame_id=frame_id,
            ),
            TaskForm.COMPACT,
        )
        self.books.sent.add(frame_id)
        message = Message(exchange, queue, task.body, task.content_type, task.headers, message_id=frame_id)
        outcome = await aio.publish(self.publisher, message)
        if outcome is Outcome.CONFIRMED:
            self.books.confirmed.add(frame_id)
        else:
            self.books.refused[outcome.value] += 1
        return outcome

    @asynccontextmanager
    async def load(self, rate: float, sender: Sender | None = None) -> AsyncIterator[None]:
        """Send `rate` frames a second while the block runs, perhaps as a named sender; faults do not stop it."""
        tasks: set[asyncio.Task[Outcome]] = set()
        stop = asyncio.Event()

        async def run() -> None:
            begun, count = time.monotonic(), 0
            while not stop.is_set():
                while count < (time.monotonic() - begun) * rate:
                    task = asyncio.create_task(self.send(sender=sender))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                    count += 1
                await asyncio.sleep(0.5 / rate)

        running = asyncio.create_task(run())
        try:
            yield
        finally:
            stop.set()
            await running
            if tasks:
                await asyncio.wait(tasks, timeout=30)

    async def settled(self, seconds: float = 60.0) -> Books:
        """Wait until every confirmed frame is accounted for, and return the books. Fails the test if one is lost."""
        try:
            await aeventually("every confirmed frame accounted for", lambda: not self.books.open, seconds)
        except AssertionError:
            lost = sorted(self.books.open)[:5]
            raise AssertionError(
                f"lost or stuck: {lost} …; {self.books}; queued {self.depth.messages}"
            ) from None
        return self.books

    async def queued(self, *urls: str) -> int:
        """Take everything from the lane, and fail the test if a confirmed frame is not there; returns how many were.

        For tests without workers.
        """
        found: set[str] = set()

        def take(delivery: Delivery) -> None:
            found.add(str(delivery.message_id))
            delivery.ack()

        taking = Connection(self.sending.loop, urls, "clerk takes", [Consumer(self.lane.queue, take)])
        taking.start()
        try:
            await aeventually(
                "every confirmed frame is in the queue", lambda: self.books.confirmed <= found, 30
            )
        except AssertionError:
            lost = self.books.confirmed - found
            raise AssertionError(f"lost: {len(lost)}, {sorted(lost)[:5]} …; {self.books}") from None
        finally:
            await aio.stop(taking)
        return len(self.books.confirmed)

    def _result(self, delivery: Delivery) -> None:
        result = parse_result(delivery.body)
        self.books.results[result.frame_id] += 1
        self.books.result_at.setdefault(result.frame_id, time.monotonic())
        if result.status == "expired":
            self.books.expired.add(result.frame_id)
        delivery.ack()

    def _dead(self, delivery: Delivery) -> None:
        self.books.dead[str(delivery.message_id)] += 1
        self.books.reasons[str(delivery.headers.get("x-framefleet-reason", "broker"))] += 1
        delivery.ack()


@asynccontextmanager
async def clerk(
    *urls: str, lane: Lane = Lane.LIVE, results: str = RESULT_QUEUE, name: str = "f"
) -> AsyncIterator[Clerk]:
    """An open Clerk; closed at the end. `results`: what it reads, a queue of its own where a gateway reads too.

    `name` begins its frame_ids: two clerks of one system need different ones.
    """
    opened = Clerk(list(urls), lane, results, name)
    opened.sending.start()
    opened.reading.start()
    await aeventually(
        "the clerk's connections",
        lambda: opened.publisher.usable and opened.results.subscribed and opened.dead.subscribed,
    )
    try:
        yield opened
    finally:
        await aio.stop(opened.sending)
        await aio.stop(opened.reading)
