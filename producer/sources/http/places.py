"""Limits the requests that may be under way at once: in all, and at each host."""

import asyncio
from asyncio import Semaphore
from typing import Self
from weakref import WeakValueDictionary

from producer.errors import SourceError

PATIENCE = 4.0
"""Seconds to wait for a place: fewer than those of silence after which a camera counts as stalled."""


class _Limit:
    def __init__(self, places: int) -> None:
        self.all = Semaphore(places)
        self.doubtful = Semaphore(max(1, places // 2))


class RequestPlace:
    """The place of one camera, which makes one request at a time and waits its turn here."""

    def __init__(self, here: _Limit, everywhere: _Limit) -> None:
        self._sure = (here.all, everywhere.all)
        self._doubtful = (here.doubtful, everywhere.doubtful, here.all, everywhere.all)
        self._held: list[Semaphore] = []
        self._limit = here  # kept while there is a camera of this host

    async def take(self, *, doubtful: bool) -> Self:
        """Take a place for one request. Raises SourceError `busy` if none becomes free within PATIENCE seconds.

        A camera is `doubtful` if its last request failed. All of these together get half of the places: ten dead
        channels of a recorder, ten seconds each, must not take the living ones with them.
        """
        wanted = self._doubtful if doubtful else self._sure
        for limit in wanted:
            if limit.locked():
                await self._wait(wanted)
                break
            await limit.acquire()
            self._held.append(limit)
        return self

    def release(self) -> None:
        """Give the place back."""
        while self._held:
            self._held.pop().release()

    async def _wait(self, wanted: tuple[Semaphore, ...]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                for limit in wanted[len(self._held) :]:
                    await limit.acquire()
                    self._held.append(limit)
        except BaseException as error:
            self.release()
            if not isinstance(error, TimeoutError):
                raise
            raise SourceError(
                "busy",
                "as many requests to its host, or in all, as are allowed are still waiting for their answers: ask "
                "less often, or raise PRODUCER_HTTP_CONNECTIONS_PER_HOST or PRODUCER_HTTP_CONNECTIONS",
            ) from None


class RequestPlaces:
    """Allows `connections` requests in all and `per_host` at each host; cameras are served in the order of arrival."""

    def __init__(self, connections: int, per_host: int) -> None:
        self._everywhere = _Limit(connections)
        self._per_host = per_host
        # A host is forgotten with its last camera.
        self._hosts: WeakValueDictionary[str, _Limit] = WeakValueDictionary()

    def at(self, host: str) -> RequestPlace:
        """The place of one more camera at this host (scheme, name and port)."""
        limit = self._hosts.get(host)
        if limit is None:
            limit = self._hosts[host] = _Limit(self._per_host)
        return RequestPlace(limit, self._everywhere)
