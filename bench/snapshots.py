"""What fetching a snapshot costs: our HTTP cameras against a plain aiohttp loop at the same pace.

    python -m bench.snapshots [--cameras 200] [--fps 2] [--seconds 5] [--rounds 7] [--footage FOLDER] [--quick]

The cameras are a process of their own that answers with bytes made beforehand, each on a loopback address of its
own. Ours and the plain loop take turns in one process; counted is the CPU time of this process alone, and ratios are
within a round. `still` cameras tell by ETag that nothing changed: we ask for that, the plain loop does not.
"""

import asyncio
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import aiohttp

from bench.command import command
from bench.machine import facts
from bench.pictures import pictures
from bench.tables import table
from producer.sources.http.client import HttpClient
from producer.sources.pacing import Ticker
from producer.sources.snapshot import Snapshot
from runtime.files import allow_many_files

BYTES = 40_000
WARM_UP_SECONDS = 1.0
TAG = b'"1"'


@dataclass(frozen=True)
class Cost:
    """Of one turn: snapshots, and the CPU seconds that they took."""

    snapshots: int
    cpu: float

    @property
    def each(self) -> float:
        """CPU milliseconds per snapshot."""
        return 1000 * self.cpu / self.snapshots


# --- the cameras ----------------------------------------------------------------------------------------


class _Camera(asyncio.Protocol):
    """Answers every request with the same bytes, or, asked with a validator, that nothing changed."""

    def __init__(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n%bContent-Length: %d\r\n\r\n"
        self._new = head % (b"", len(body)) + body
        self._still = head % (b"ETag: %b\r\n" % TAG, len(body)) + body
        self._unmodified = b"HTTP/1.1 304 Not Modified\r\n\r\n"
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        still = data.startswith(b"GET /still")
        if still and TAG in data:
            self._transport.write(self._unmodified)
        else:
            self._transport.write(self._still if still else self._new)


def _serve(hosts: Sequence[str], body: bytes, told: Connection) -> None:
    async def serve() -> None:
        allow_many_files()
        first = await asyncio.get_running_loop().create_server(lambda: _Camera(body), hosts[0], 0)
        port = first.sockets[0].getsockname()[1]
        rest = hosts[1:]
        if rest:
            await asyncio.get_running_loop().create_server(lambda: _Camera(body), rest, port, backlog=10)
        told.send(port)
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def cameras(count: int, body: bytes) -> Iterator[list[str]]:
    """The addresses of so many running cameras, without a path."""
    hosts = [f"127.0.{n // 200}.{n % 200 + 1}" for n in range(count)]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(hosts, body, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(20):
            raise RuntimeError("the cameras did not start: see above")
        port = ours.recv()
        yield [f"http://{host}:{port}" for host in hosts]
    finally:
        process.terminate()
        process.join()


def picture(images: Sequence[bytes], size: int = BYTES) -> bytes:
    """The first of the pictures with `size` bytes at most, filled up to exactly that before its end."""
    image = next((image for image in images if len(image) <= size), None)
    if image is None:
        raise ValueError(f"no picture has {size} bytes or fewer")
    filling = size - len(image)
    return image[:-2] + bytes(filling) + image[-2:]


# --- who asks them --------------------------------------------------------------------------------------


class Counter:
    """How many snapshots came."""

    snapshots = 0


async def ours(urls: Sequence[str], fps: float, counter: Counter) -> None:
    """Our HTTP cameras, as the producer builds them."""
    async with HttpClient() as client:

        async def read(url: str) -> None:
            async for _ in Snapshot(url, client, fps=fps).frames():
                counter.snapshots += 1

        await asyncio.gather(*(read(url) for url in urls))


async def plain(urls: Sequence[str], fps: float, counter: Counter) -> None:
    """What a tutorial shows, with the same pooling and pace."""
    connector = aiohttp.TCPConnector(limit=500, limit_per_host=10, ttl_dns_cache=300)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def read(url: str) -> None:
            ticker = Ticker(1 / fps, spread=random.random())
            while True:
                await asyncio.sleep(ticker.delay(time.monotonic()))
                async with session.get(url) as response:
                    await response.read()
                counter.snapshots += 1

        await asyncio.gather(*(read(url) for url in urls))


async def measured(who: Callable[..., Any], urls: Sequence[str], fps: float, seconds: float) -> Cost:
    """What `who` gets from the cameras in so many seconds, and its CPU time; warmed up before."""
    counter = Counter()
    task = asyncio.create_task(who(urls, fps, counter))
    try:
        await asyncio.wait({task}, timeout=WARM_UP_SECONDS)
        counted, began = counter.snapshots, time.process_time()
        await asyncio.wait({task}, timeout=seconds)
        cost = Cost(counter.snapshots - counted, time.process_time() - began)
    finally:
        task.cancel()
        ended = (await asyncio.gather(task, return_exceptions=True))[0]
    if isinstance(ended, Exception):
        raise ended
    return cost


def row(label: str, ours: Sequence[Cost], plain: Sequence[Cost]) -> tuple[str, ...]:
    """Medians, and the median of the rounds' ratios."""
    mine, theirs = (statistics.median(cost.each for cost in costs) for costs in (ours, plain))
    ratios = [a.each / b.each for a, b in zip(ours, plain, strict=True)]
    return (
        label,
        f"{mine:.3f}",
        f"{theirs:.3f}",
        f"{1000 / mine:.0f}",
        f"{1000 / theirs:.0f}",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
    )


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--fps", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.cameras, arguments.seconds, arguments.rounds = 50, 2.0, 3
    print(facts())
    print(f"{arguments.cameras} cameras, {arguments.fps:g} snapshots a second each, {BYTES} bytes\n")
    rows = []
    with cameras(arguments.cameras, picture(pictures(arguments.footage))) as hosts:
        for label, path in (("new pictures", "new.jpg"), ("still", "still.jpg")):
            urls = [f"{host}/{path}" for host in hosts]
            turns: dict[Callable[..., Any], list[Cost]] = {ours: [], plain: []}
            for number in range(arguments.rounds):
                print(f"{label}: round {number + 1}", file=sys.stderr)
                for who in (ours, plain) if number % 2 else (plain, ours):
                    turns[who].append(asyncio.run(measured(who, urls, arguments.fps, arguments.seconds)))
            rows.append(row(label, turns[ours], turns[plain]))
    heads = ("cameras", "ours: ms", "plain: ms", "ours: per CPU s", "plain: per CPU s", "ours / plain")
    print(table(heads, rows))


if __name__ == "__main__":
    main()
