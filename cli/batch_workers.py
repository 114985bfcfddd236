"""Workers of the batch lane: started when something waits there, ended when nothing has for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from broker import AsyncioLoop, Link, from_body
from cli.errors import StartFailed
from contract.status import NodeStatus, Status, parse_status
from contract.topology import STATUS_EXCHANGE, Lane

LOOK_SECONDS = 1.0
MORE_SECONDS = 5.0
"""While items still wait, so often one more worker is started."""
IDLE_SECONDS = 60.0
QUEUE = Lane.BATCH.queue


class BatchWorkers:
    """Decides how many workers the batch lane has, `most` at most, and says so to `scale`.

    It looks at the lane's queue and hears the heartbeats of its workers, by a link of its own.
    """

    def __init__(
        self,
        urls: list[str],
        most: int,
        scale: Callable[[int], Awaitable[None]],
        say: Callable[[str], None],
        *,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self._most = most
        self._scale = scale
        self._say = say
        self._idle = idle
        self._running = 0
        self._grown = float("-inf")
        self._active = time.monotonic()
        self._link = Link(AsyncioLoop(), urls, "framefleet up")
        self._depth = self._link.depth([QUEUE], every=LOOK_SECONDS)
        self._link.listen(STATUS_EXCHANGE, "node.*", from_body(parse_status), self._heard)

    async def run(self) -> None:
        """Look after them until cancelled."""
        self._link.start()
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await self._look(time.monotonic())
        finally:
            self._link.close()

    async def _look(self, now: float) -> None:
        waiting = self._depth.messages.get(QUEUE, 0)
        if waiting:
            self._active = now
        wanted = self._running
        if waiting and self._running < self._most and now - self._grown >= MORE_SECONDS:
            wanted += 1
        elif self._running and now - self._active > self._idle:
            wanted = 0
        if wanted != self._running:
            await self._change(wanted, now)

    async def _change(self, wanted: int, now: float) -> None:
        before, self._grown = self._running, now
        try:
            await self._scale(wanted)
        except StartFailed as error:
            self._say(f"a worker for the batch lane could not be started: {error}")
            return
        self._running = wanted
        if not before:
            self._say(
                "Items of a job wait: a worker of the batch lane is started (WORKERS_BATCH=0 starts none)"
            )
        elif not wanted:
            self._say(f"No items for {self._idle:.0f} s: the workers of the batch lane have ended")

    def _heard(self, status: Status) -> None:
        """A worker of the lane that was busy since its last word is needed."""
        if isinstance(status, NodeStatus) and status.lane == Lane.BATCH and status.busy > 0:
            self._active = time.monotonic()
