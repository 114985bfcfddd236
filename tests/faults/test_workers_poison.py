"""Frames that do harm: refused without harm, or the death of one worker at most; all others go on."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from broker import Consumer, Delivery
from contract import dead_letters
from tests.conftest import StartService
from tests.faults.books import PICTURE, clerk
from tests.faults.patched import DEADLY_PICTURE, patch
from tests.helpers.bus import bus
from tests.helpers.eventually import POLL_SECONDS, aeventually
from tests.helpers.processes import Service

pytestmark = pytest.mark.faults

WHITE = cv2.imencode(".jpg", np.full((48, 64, 3), 255, np.uint8))[1].tobytes()
BOMB_SIDE = 20_000


def bomb() -> bytes:
    """A valid grey PNG of 400 megapixels in a few hundred kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = bytes(BOMB_SIDE + 1)
    data = b"".join(packer.compress(row * 100) for _ in range(BOMB_SIDE // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def peak_memory(service: Service) -> float:
    """The most that the process ever had resident, in MB."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


async def test_truncated_pictures_and_decompression_bombs(start: StartService, rabbitmq: str) -> None:
    worker = start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar", WORKER_STALENESS_SECONDS="600")
    await asyncio.to_thread(worker.ready)
    packed = bomb()
    async with clerk(rabbitmq) as books:
        async with books.load(50):
            await aeventually("results", lambda: len(books.books.results) > 20)
            before = peak_memory(worker)
            for cut in (3, 30, len(PICTURE) // 2, len(PICTURE) - 3):
                await books.send(PICTURE[:cut], frame_id=f"truncated-{cut}")
            for number in range(3):
                await books.send(packed, frame_id=f"bomb-{number}")
            await aeventually("seven dead letters", lambda: len(books.books.dead) == 7)
            at = len(books.books.results)
            await aeventually("results go on", lambda: len(books.books.results) > at + 20)
        settled = await books.settled()
        grown = peak_memory(worker) - before
        assert worker.process.poll() is None
    print(
        f"\npoison: the worker grew {grown:.0f} MB over bombs of {BOMB_SIDE**2 // 10**6} megapixels; {settled}"
    )
    assert settled.reasons == {"not_an_image": 4, "too_many_pixels": 3}
    assert grown < 50


@asynccontextmanager
async def supervised(start: StartService, **environment: str) -> AsyncIterator[list[int]]:
    """Two workers, each started again when it ends; gives the exit statuses of those that ended."""
    ended: list[int] = []

    async def keep(name: str) -> None:
        while True:
            worker = start("worker", NODE_ID=f"{name}-{len(ended)}", **environment)
            while (status := worker.process.poll()) is None:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
            ended.append(status)

    keepers = [asyncio.create_task(keep(name)) for name in ("a", "b")]
    try:
        yield ended
    finally:
        for keeper in keepers:
            keeper.cancel()


async def test_a_frame_that_crashes_its_process(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    letters: list[Delivery] = []
    environment = {
        "AMQP_URL": rabbitmq,
        "WORKER_DETECTOR": "haar",
        "WORKER_STALENESS_SECONDS": "600",
        **patch(tmp_path / "deadly", DEADLY_PICTURE),
    }
    async with clerk(rabbitmq) as books, supervised(start, **environment) as ended:
        cancelled = asyncio.Event()
        books.dead.cancel(cancelled.set)  # the letters are read here, with their headers
        await cancelled.wait()

        def letter(delivery: Delivery) -> None:
            letters.append(delivery)
            books.books.dead[str(delivery.message_id)] += 1
            delivery.ack()

        async with bus(rabbitmq, Consumer("frame_queue.dlq", letter)):
            async with books.load(50):
                await aeventually("results", lambda: len(books.books.results) > 20)
                await books.send(WHITE, frame_id="deadly")
                await aeventually("its dead letter", lambda: letters, 40)
                before = len(books.books.results)
                await aeventually("results go on", lambda: len(books.books.results) > before + 20)
            settled = await books.settled()
        deaths = list(ended)
    headers = letters[0].headers
    print(
        f"\na frame that crashes: workers that died {deaths}, dead letter {headers[dead_letters.REASON]!r} after "
        f"{headers[dead_letters.ATTEMPTS]} attempts ({headers[dead_letters.ERROR]}); {settled}"
    )
    assert [delivery.message_id for delivery in letters] == ["deadly"]
    assert len(deaths) <= 1
    assert headers[dead_letters.REASON] == "crashed"
    assert headers[dead_letters.ATTEMPTS] == 3  # one ended a worker, two a child
    assert headers[dead_letters.ORIGIN] == "frame_queue"
    assert "deadly" not in settled.results
