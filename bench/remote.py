"""The story of a remote model under a budget, at small scale, and what a plain asyncio loop makes of the same server.

    python -m bench.remote [--images 400] [--rpm 240]

A server that fails at every third call, as in the field: 50,000 images a day, 34 % errors, a budget that broke. First a
worker of the remote lane and a private RabbitMQ: in the middle the day's budget is spent, the worker is killed while it
waits, and an operator raises the budget. Then `asyncio.gather` with a semaphore, the usual loop: it retries nothing and
keeps no books. Exits 1 unless every image is accounted for, to the cent. Takes as long as the calls a minute make it.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np

from bench.machine import facts
from bench.processes import Process, broker, running
from bench.tables import percent, table
from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Publisher, aio
from cli.wait import wait_until
from contract.remote import DesiredRemote
from contract.status import encode_status
from contract.task import Task, TaskForm, encode_task
from contract.topology import CONTROL_EXCHANGE, DEAD_LETTER_QUEUE, RESULT_QUEUE, Lane
from tests.helpers.vision_server import FAULTS, Call, VisionServer, vision_server
from worker.remote.rate import MARGIN, MINUTE
from worker.remote.request import Dialect, chat_body

ERRORS = 0.34
SHARES = dict.fromkeys(FAULTS, ERRORS / len(FAULTS))
PRICE = (10.0, 50.0)
PER_IMAGE = 300 * 10e-6 + 40 * 50e-6
AT_ONCE = 10
LATENCY = 0.3
TIMEOUT = 5.0
WINDOW = MINUTE + MARGIN
"""In which a limit's calls are made: see worker.remote.rate."""


def image(number: int) -> bytes:
    """A small JPEG, another one for each number."""
    pixels = np.full((120, 160, 3), 40, np.uint8)
    cv2.putText(pixels, str(number), (10, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2)
    done, encoded = cv2.imencode(".jpg", pixels)
    assert done
    return encoded.tobytes()


@dataclass
class Book:
    """What came of the images: `seconds` until the last, `cost` as the results tell it."""

    done: Counter[str]
    failed: Counter[str]
    cost: float
    seconds: float
    held: int = 0


class Ours:
    """The remote lane in its own RabbitMQ."""

    def __init__(self, url: str, server: VisionServer, folder: Path, rpm: int, budget: float) -> None:
        prices = folder / "prices.toml"
        prices.write_text(
            f'[[price]]\nmodel = "seer"\nsince = 2026-01-01\ninput = {PRICE[0]}\noutput = {PRICE[1]}\n'
        )
        self.url = url
        self.environment = {
            "NODE_ID": "remote-1",
            "WORKER_LANE": "remote",
            "WORKER_REMOTE_URL": server.url,
            "WORKER_REMOTE_MODEL": "seer",
            "WORKER_REMOTE_CAMERAS": "*",
            "WORKER_REMOTE_FOLDER": str(folder / "remote"),
            "WORKER_REMOTE_PRICES": str(prices),
            "WORKER_REMOTE_BUDGET_DAY": str(budget),
            "WORKER_REMOTE_BUDGET_MONTH": "1000",
            "WORKER_REMOTE_TIMEOUT": str(TIMEOUT),
            "WORKER_REMOTE_RPM": str(rpm),
            "WORKER_REMOTE_CONCURRENCY": str(AT_ONCE),
            "WORKER_REMOTE_MAX_TOKENS": "100",
        }

    def worker(self) -> Process:
        return Process("worker", self.url, **self.environment)

    async def run(self, images: int, *, break_budget: bool) -> Book:
        """All images through the lane; with `break_budget` it breaks, and the worker is killed."""
        book = Book(Counter(), Counter(), 0.0, 0.0)

        def result(delivery: Delivery) -> None:
            said = json.loads(delivery.body)
            book.done[said["frame_id"]] += 1
            book.cost += said.get("cost", 0.0)
            delivery.ack()

        def letter(delivery: Delivery) -> None:
            book.failed[str(delivery.message_id)] += 1
            delivery.ack()

        publisher = Publisher(window=10_000)
        collectors = [Consumer(RESULT_QUEUE, result), Consumer(DEAD_LETTER_QUEUE, letter)]
        connection = Connection(AsyncioLoop(), [self.url], "bench", [publisher, *collectors])
        worker = self.worker()
        with running([worker]) as processes:
            wait_until(worker.ready, 60)
            connection.start()
            while not publisher.usable:
                await asyncio.sleep(0.1)
            began = time.monotonic()
            for number in range(images):
                name = f"i-{number}"
                task = encode_task(
                    Task(image=image(number), timestamp=time.time(), camera_id="batch", frame_id=name),
                    TaskForm.COMPACT,
                )
                await aio.publish(
                    publisher,
                    Message(
                        "", Lane.REMOTE.queue, task.body, task.content_type, task.headers, message_id=name
                    ),
                )
            while len(book.done | book.failed) < images:
                await asyncio.sleep(0.25)
                if break_budget and await asyncio.to_thread(worker.metric, "cv_remote_held") > 0:
                    book.held = images - len(book.done | book.failed)
                    os.kill(worker.pid, signal.SIGKILL)
                    worker = self.worker()
                    processes.append(worker)
                    await asyncio.to_thread(wait_until, worker.ready, 60)
                    desired = DesiredRemote(
                        revision=1, raises={datetime.now(UTC).date().isoformat(): 1_000.0}
                    )
                    message = Message(CONTROL_EXCHANGE, "", encode_status(desired), persistent=False)
                    await aio.publish(publisher, message)
                    break_budget = False
            book.seconds = time.monotonic() - began
            await asyncio.sleep(1.5)  # a second result, if there were one
            await aio.stop(connection)
        return book


async def plain(server: VisionServer, images: int) -> Book:
    """The loop that everybody writes first."""
    book = Book(Counter(), Counter(), 0.0, 0.0)
    semaphore = asyncio.Semaphore(AT_ONCE)
    began = time.monotonic()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:

        async def one(number: int) -> None:
            async with semaphore:
                body = chat_body("seer", "", [image(number)], Dialect(), 100)
                try:
                    async with session.post(
                        f"{server.url}/chat/completions",
                        data=body,
                        headers={"Content-Type": "application/json"},
                    ) as response:
                        response.raise_for_status()
                        said: Mapping[str, Any] = await response.json()
                        json.loads(said["choices"][0]["message"]["content"])["pictures"]
                    book.done[f"i-{number}"] += 1
                except Exception:
                    book.failed[f"i-{number}"] += 1

        with suppress(ExceptionGroup):
            await asyncio.gather(*(one(number) for number in range(images)))
    book.seconds = time.monotonic() - began
    return book


def row(name: str, book: Book, server: VisionServer, images: int) -> list[object]:
    """A line of the table."""
    return [
        name,
        len(book.done),
        len(book.failed),
        images - len(book.done | book.failed),
        f"{60 * len(book.done) / book.seconds:.0f}",
        len(server.calls),
        server.most_in_a_minute(),
        server.exceeded,
        f"{server.charged / 1e9:.4f}",
        f"{book.cost:.4f}",
    ]


HEADS = (
    "", "images done", "failed, with a reason", "lost", "done a minute", "calls", "most in a minute",
    "refused as too many", "charged, $", "in the results, $",
)  # fmt: skip


async def main() -> int:
    """Run both and print; 1 unless the books agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument(
        "--rpm", type=int, default=240, help="the server's and the worker's limit of calls a minute"
    )
    arguments = parser.parse_args()
    images, rpm = arguments.images, arguments.rpm
    print(
        f"{facts()}\n{images} images, {percent(ERRORS)} errors, {rpm} calls a minute, {LATENCY:g} s latency\n"
    )
    server_settings: dict[str, Any] = {"price": PRICE, "limit": rpm, "latency": LATENCY}
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        broker() as node,
        vision_server(SHARES, **server_settings) as server,
    ):
        ours = Ours(node.amqp_url, server, Path(name), rpm, budget=0.6 * images * PER_IMAGE)
        book = await ours.run(images, break_budget=True)
        rows.append(row("remote lane", book, server, images))
        problems = check(book, server, images, Path(name) / "remote" / "books.sqlite")
    with vision_server(SHARES, **server_settings) as other:
        rows.append(row("asyncio.gather", await plain(other, images), other, images))
    print(table(HEADS, rows))
    windows, share = whole_windows(server.calls, rpm)
    print(
        f"\nIn {windows} whole windows of {WINDOW:g} s the remote lane made {percent(share)} of the calls that the "
        "limit allows."
    )
    print(
        f"The budget broke with {book.held} images left; the worker was killed then, and the budget raised."
    )
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if problems else 0


def whole_windows(calls: Sequence[Call], rpm: int) -> tuple[int, float]:
    """The windows that passed between the first and the last call, and which share of their calls was made."""
    first, last = calls[0].at, calls[-1].at
    windows = int((last - first) // WINDOW)
    made = sum(call.at < first + windows * WINDOW for call in calls)
    return windows, made / (windows * rpm) if windows else 0.0


def check(book: Book, server: VisionServer, images: int, path: Path) -> list[str]:
    """What does not agree."""
    import sqlite3

    books = sqlite3.connect(path)
    spent, uncertain, reserved = books.execute(
        "SELECT spent, uncertain, reserved FROM periods WHERE length(name) = 7"
    ).fetchone()
    books.close()
    print(
        f"The books: ${spent / 1e9:.4f} certain, ${uncertain / 1e9:.4f} uncertain, ${reserved / 1e9:.4f} reserved; "
        f"the server charged ${server.charged / 1e9:.4f}\n"
    )
    problems = []
    if len(book.done | book.failed) != images:
        problems.append(f"{images - len(book.done | book.failed)} images are lost")
    if any(count > 1 for count in book.done.values()):
        problems.append("an image has two results")
    if not book.held:
        problems.append("the budget did not break")
    if not spent <= server.charged <= spent + uncertain + reserved:
        problems.append("the books do not hold what the server charged")
    if server.exceeded:
        problems.append(f"{server.exceeded} calls were too many")
    return problems


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
