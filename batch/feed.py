"""Lists a job's items in one thread and reads their pictures in another, in order, a few ahead of who sends
them.

A job whose inputs arrive while it runs is listed when nothing more arrives.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from batch.arrivals import Arrivals
from batch.errors import Unreadable
from batch.inputs.kinds import VIDEO
from batch.inputs.loading import Loader
from batch.inputs.walk import Finder
from batch.job import Job
from batch.store import Item, State, Store, again

CHUNK = 500
"""Items that are entered in the books together."""
READ_ITEMS, READ_BYTES = 16, 8 << 20
"""Pictures that are read at once, at most: reading in pieces costs the event loop little."""
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Loaded:
    """An item with its picture, or why there is none; a video has none of its own."""

    item: Item
    picture: bytes = b""
    unreadable: Unreadable | None = None


class Feed:
    """The items that wait, with their pictures. `left_out` counts what is no picture, by ending."""

    def __init__(self, job: Job, arrivals: Arrivals | None = None) -> None:
        self._job = job
        self._arrivals = arrivals
        self._finder = Finder(job.wish.base)
        self._reading = ThreadPoolExecutor(1, "reading")
        self._loader = Loader(job.wish.base)
        self._stopped = False
        self.listed = False

    @property
    def left_out(self) -> Counter[str]:
        """What lay in folders and archives and is no picture, by ending."""
        return self._finder.left_out

    async def find_all(self) -> None:
        """Enter all items in the books. Raises OSError, sqlite3.Error."""
        await asyncio.to_thread(self._list)
        self.listed = not self._stopped

    def stop(self) -> None:
        """List no more: the next run does."""
        self._stopped = True

    async def close(self) -> None:
        """Close what is open; waits for the picture that is being read."""
        self.stop()
        await asyncio.get_running_loop().run_in_executor(self._reading, self._loader.close)
        self._reading.shutdown()

    async def load(self, item: Item) -> Loaded:
        """Read one item's picture."""
        (loaded,) = await self._read([item])
        return loaded

    async def waiting(self, under_way: Container[int]) -> AsyncIterator[Loaded]:
        """Every item that waits, but those `under_way`, until all are listed and none is left.

        Videos under way may come again, and are waited for: samples that were never answered need them once
        more.
        """
        while not self._stopped:
            listed, found, after = self.listed, False, 0
            videos = False
            while items := self._job.store.open_items(State.WAITING, after):
                after = items[-1].number
                fresh = [item for item in items if item.number not in under_way and not self._put_aside(item)]
                videos = videos or any(item.kind == VIDEO for item in items)
                while fresh:
                    found = True
                    loaded = await self._read(fresh)
                    for each in loaded:
                        yield each
                    del fresh[: len(loaded)]
            if listed and not found and not videos:
                return
            if not found:
                await asyncio.sleep(LOOK_SECONDS)

    def _put_aside(self, item: Item) -> bool:
        """It is a video whose upload pauses."""
        return item.kind == VIDEO and self._arrivals is not None and self._arrivals.stalled(item.path)

    async def _read(self, items: list[Item]) -> list[Loaded]:
        return await asyncio.get_running_loop().run_in_executor(
            self._reading, self._read_some, items[:READ_ITEMS]
        )

    def _read_some(self, items: list[Item]) -> list[Loaded]:
        """Read the first of them, as many as are worth it; at least one."""
        loaded: list[Loaded] = []
        size = 0
        for item in items:
            try:
                each = Loaded(item, b"" if item.kind == VIDEO else self._loader.load(item))
            except Unreadable as error:
                each = Loaded(item, unreadable=error)
            loaded.append(each)
            size += len(each.picture)
            if size >= READ_BYTES:
                break
        return loaded

    def _list(self) -> None:
        with again(self._job.store.file) as store:
            if self._arrivals is not None:
                self._list_arrivals(store, self._arrivals)
                return
            store.begin_listing()
            found = self._finder.find(self._job.inputs())
            while not self._stopped and (some := list(islice(found, CHUNK))):
                store.add(some)

    def _list_arrivals(self, store: Store, arrivals: Arrivals) -> None:
        while not self._stopped and (some := arrivals.take(LOOK_SECONDS)) is not None:
            for start in range(0, len(some), CHUNK):
                store.add(some[start : start + CHUNK])
