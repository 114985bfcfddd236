"""Runs blocking sources in threads of their own, one per camera, so that a stuck one hurts no other."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Generic, TypeVar

Item = TypeVar("Item")


async def in_thread(items: Callable[[], Generator[Item]], name: str) -> AsyncGenerator[Item]:
    """The items of a blocking generator, at most one ahead of the reader; its exceptions are raised here.

    Closing the async iterator asks the thread to stop at its next item, and does not wait for that: a stuck read ends
    with its own timeout. The thread is a daemon, so it never keeps the process alive.
    """
    reader = _Reader(items)
    threading.Thread(target=reader.run, name=name, daemon=True).start()
    try:
        while not isinstance(news := await reader.queue.get(), _End):
            reader.room.release()
            yield news.item
        if news.error is not None:
            raise news.error
    finally:
        reader.stopped.set()
        reader.room.release()


class _News(Generic[Item]):
    def __init__(self, item: Item) -> None:
        self.item = item


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Reader(Generic[Item]):
    def __init__(self, items: Callable[[], Generator[Item]]) -> None:
        self._items = items
        self._loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[_News[Item] | _End] = asyncio.Queue()
        self.room = threading.Semaphore(1)
        self.stopped = threading.Event()

    def run(self) -> None:
        error: BaseException | None = None
        try:
            with contextlib.closing(self._items()) as items:
                for item in items:
                    self.room.acquire()
                    if self.stopped.is_set():
                        return
                    self._hand_over(_News(item))
        except BaseException as raised:  # the reader must hear of it, whatever it is
            error = raised
        self._hand_over(_End(error))

    def _hand_over(self, news: _News[Item] | _End) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self.queue.put_nowait, news)
