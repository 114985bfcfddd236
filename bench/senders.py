"""What a flood costs the lane: from a plain client in the lane's own queue, and from a sender with a queue of its own.

    MODEL_DIR=… python -m bench.senders [--seconds 20] [--quick]

One worker computes for ten cameras, which send two frames a second each as producers do: the next one when the last
one is answered, so that a slow worker shows in the rate. Beside them a flood of tiny frames, or of the heaviest
pictures that a sender's default limit lets through (8.8 megapixels), twenty under way at any time. Latency is from
capture to the reply, of frames that were computed.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from bench.command import plain_command
from bench.machine import facts
from bench.pictures import pictures
from bench.processes import Process, broker, running
from bench.tables import table
from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, Role, aio
from contract.senders import Sender, Senders
from contract.status import encode_status
from contract.task import Task, TaskForm, encode_task
from contract.topology import CONTROL_EXCHANGE, RESULT_QUEUE, TASK_QUEUE, EphemeralQueue, Lane

CAMERAS = 10
EVERY = 0.5
PATIENCE = 5.0
UNANNOUNCED_SECONDS = 3.0
FLOODER = Sender(name="flooder")
WINDOW = 20
"""Frames of the flood under way."""
SETTLING_SECONDS = 5.0


def heavy() -> bytes:
    """A PNG as large as a sender may send it, in a few hundred kilobytes."""
    ramp = np.add.outer(np.arange(2160), np.arange(4096)) % 256
    return cv2.imencode(".png", np.repeat(ramp[:, :, None], 3, axis=2).astype(np.uint8))[1].tobytes()


def tiny() -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), 127, np.uint8))[1].tobytes()


@dataclass
class Measured:
    """How long each of the lane's frames took that were computed, and how many of the flood's were."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    flood: int = 0

    @property
    def line(self) -> tuple[str, str, str, str]:
        if len(self.latencies) < 2:
            return "0", "-", "-", f"{self.flood / self.seconds:.1f}"
        steps = statistics.quantiles(self.latencies, n=20)
        return (
            f"{len(self.latencies) / self.seconds:.1f}",
            f"{statistics.median(self.latencies) * 1000:.0f} ms",
            f"{steps[18] * 1000:.0f} ms",
            f"{self.flood / self.seconds:.1f}",
        )


class TenCameras:
    """Ten cameras at two frames a second, each with at most one frame under way."""

    def __init__(self, publisher: Publisher, images: list[bytes]) -> None:
        self.mailbox = Consumer(EphemeralQueue(), self._answered, no_ack=True)
        self.measured = Measured(0.0)
        self._publisher = publisher
        self._images = images
        self._open: dict[str, tuple[float, asyncio.Event]] = {}
        self._number = 0

    async def camera(self, name: str, offset: float) -> None:
        """Send for ever."""
        await asyncio.sleep(offset)
        due = time.monotonic()
        while True:
            self._number += 1
            number, captured, answered = str(self._number), time.time(), asyncio.Event()
            sent = encode_task(
                Task(
                    image=self._images[self._number % len(self._images)],
                    timestamp=captured,
                    camera_id=name,
                    frame_id=f"{name}:{number}",
                ),
                TaskForm.BASE64,
            )
            self._open[number] = captured, answered
            message = Message(
                "",
                TASK_QUEUE,
                sent.body,
                sent.content_type,
                sent.headers,
                reply_to=self.mailbox.queue_name,
                correlation_id=number,
            )
            if await aio.publish(self._publisher, message) is Outcome.CONFIRMED:
                try:
                    await asyncio.wait_for(answered.wait(), PATIENCE)
                except TimeoutError:
                    self._open.pop(number, None)
            due = max(due + EVERY, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _answered(self, delivery: Delivery) -> None:
        captured, answered = self._open.pop(delivery.correlation_id or "", (0.0, None))
        if answered is not None:
            answered.set()
            if b'"status":"ok"' in delivery.body:
                self.measured.latencies.append(time.time() - captured)


class Flood:
    """Sends the same picture again and again, with as many frames under way as `WINDOW`: so none of them is too old."""

    def __init__(self, publisher: Publisher, image: bytes, exchange: str, queue: str) -> None:
        self.results = 0
        self._publisher = publisher
        self._image = image
        self._to = exchange, queue
        self._places = asyncio.Semaphore(WINDOW)

    async def send(self) -> None:
        """Send for ever."""
        for number in itertools.count():
            await self._places.acquire()
            sent = encode_task(
                Task(
                    image=self._image,
                    timestamp=time.time(),
                    camera_id="flooder",
                    frame_id=f"flooder:{number}",
                ),
                TaskForm.COMPACT,
            )
            await aio.publish(self._publisher, Message(*self._to, sent.body, sent.content_type, sent.headers))

    def answered(self) -> None:
        """Hear that one of its frames has a result."""
        self.results += 1
        self._places.release()


@asynccontextmanager
async def connected(url: str, *roles: Role) -> AsyncIterator[Connection]:
    connection = Connection(AsyncioLoop(), [url], "bench", roles)
    connection.start()
    try:
        while not (connection.ready and all(role.attached for role in roles)):
            await asyncio.sleep(0.02)
        yield connection
    finally:
        await aio.stop(connection)


async def measure(url: str, seconds: float, image: bytes | None, sender: Sender | None) -> Measured:
    """One condition; `image` None: no flood."""
    lane_publisher, flood_publisher = Publisher(), Publisher()
    lane = TenCameras(lane_publisher, pictures(None))
    exchange, queue = (sender.exchange, sender.queue(Lane.LIVE)) if sender else ("", TASK_QUEUE)
    flood = Flood(flood_publisher, image or b"", exchange, queue)

    def result(delivery: Delivery) -> None:
        if b"flooder" in delivery.body:
            flood.answered()

    async with (
        connected(url, lane_publisher, lane.mailbox, Consumer(RESULT_QUEUE, result, no_ack=True)),
        connected(url, flood_publisher),
    ):
        await aio.publish(lane_publisher, announcement(sender))
        await asyncio.sleep(UNANNOUNCED_SECONDS)
        tasks = [
            asyncio.create_task(lane.camera(f"c-{number}", number * EVERY / CAMERAS))
            for number in range(CAMERAS)
        ]
        if image is not None:
            tasks.append(asyncio.create_task(flood.send()))
        await asyncio.sleep(SETTLING_SECONDS)
        before, lane.measured = flood.results, Measured(seconds)
        await asyncio.sleep(seconds)
        lane.measured.flood = flood.results - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return lane.measured


def announcement(sender: Sender | None) -> Message:
    """As a gateway announces the senders there are."""
    senders = Senders(revision=int(time.time() * 1000), senders=(sender,) if sender else ())
    return Message(CONTROL_EXCHANGE, "", encode_status(senders), persistent=False, mandatory=False)


FLOODS = {"tiny frames": tiny(), "8.8 megapixels": heavy()}


def main() -> None:
    parser = plain_command(__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quick", action="store_true", help="ten seconds each")
    arguments = parser.parse_args()
    seconds = 10.0 if arguments.quick else arguments.seconds
    lines = []
    for what, image, sender in (
        ("none", None, None),
        *((what, image, sender) for what, image in FLOODS.items() for sender in (None, FLOODER)),
    ):
        with broker() as node, running([Process("worker", node.amqp_url, NODE_ID="bench")]) as workers:
            while not workers[0].ready():
                time.sleep(0.05)
            measured = asyncio.run(measure(node.amqp_url, seconds, image, sender))
        who = "-" if image is None else "an unnamed client" if sender is None else "a sender, share 0.1"
        lines.append((what, who, *measured.line))
    print(f"{facts()}\none worker, {CAMERAS} cameras at {1 / EVERY:.0f} frames/s\n")
    print(table(("flood", "who floods", "lane, frames/s", "median", "p95", "flood, results/s"), lines))


if __name__ == "__main__":
    main()
