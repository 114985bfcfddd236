"""A producer's work without a broker, in its own process: `python -m cli.plan.producer_side`, see `meter.answer`."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from queue import SimpleQueue as Queue
from threading import Thread
from typing import Any

from cli.plan.meter import answer, given_pictures, milliseconds, resident_bytes, yardstick

SECONDS = 0.5
CAMERAS, RATE = 50, 150.0
FETCH_SECONDS, FETCH_PATIENCE = 1.5, 20.0


def measure(question: dict[str, Any]) -> dict[str, Any]:
    """CPU ms of fetching a snapshot, of the motion gate with health, of the yardstick; memory."""
    import producer.service  # noqa: F401 - not used here, but a producer has it in its memory
    from producer.inspection.gate import Gate
    from producer.inspection.health import Health
    from producer.inspection.judge import Judge
    from producer.inspection.motion import Motion

    images = given_pictures(question)
    judge = Judge(Gate(Motion()), Health())
    # Each camera keeps its own state; one that sees another picture each time looks at all of them in full.
    gate = milliseconds(lambda n: judge.encoded(images[n % len(images)], float(n)), SECONDS)
    return {
        "fetch": fetching(images),
        "gate": gate,
        "yardstick": yardstick(),
        "resident": resident_bytes(),
    }


def fetching(images: Sequence[bytes]) -> float:
    """CPU ms of one GET of a picture over a pooled connection, as a snapshot camera's.

    The server has a thread and an event loop of its own: only this thread's time counts.
    """
    started: Queue[tuple[int, Callable[[], object]]] = Queue()
    thread = Thread(target=lambda: asyncio.run(serve(images, started)), name="camera")
    thread.start()
    port, stop = started.get()
    try:
        return asyncio.run(fetch(f"http://127.0.0.1:{port}/snapshot.jpg"))
    finally:
        stop()
        thread.join()


async def fetch(address: str) -> float:
    """CPU ms of this thread for one GET, by cameras that take turns at `RATE` all together.

    Paced, and not as fast as possible: at the rate of real cameras each picture wakes the event loop by itself, for
    every part of it that arrives, and costs several times what it does in a hurry.
    """
    import aiohttp

    fetched = 0
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=5, sock_read=5)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def camera(number: int) -> None:
            nonlocal fetched
            await asyncio.sleep(number / RATE)
            while True:
                due = time.monotonic() + CAMERAS / RATE
                async with session.get(address) as response:
                    async for _chunk in response.content.iter_any():
                        pass
                fetched += 1
                await asyncio.sleep(due - time.monotonic())

        async with asyncio.timeout(FETCH_PATIENCE), asyncio.TaskGroup() as group:
            cameras = [group.create_task(camera(number)) for number in range(CAMERAS)]
            await asyncio.sleep(CAMERAS / RATE)  # until all are connected
            before, spent = fetched, time.thread_time()
            await asyncio.sleep(FETCH_SECONDS)
            spent = time.thread_time() - spent
            count = fetched - before
            for each in cameras:
                each.cancel()
    return 1000 * spent / max(1, count)


async def serve(images: Sequence[bytes], started: "Queue[tuple[int, Callable[[], object]]]") -> None:
    """Answer every request with the next picture, until told to stop."""
    answers = cycle(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(image) + image
        for image in images
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(next(answers))
                await writer.drain()
        writer.close()

    loop, end = asyncio.get_running_loop(), asyncio.Event()
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        started.put((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(end.set)))
        await end.wait()


if __name__ == "__main__":
    answer(measure)
