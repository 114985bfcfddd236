"""Counts who is here, beside the requests: these only leave a note, and once a second the notes are counted.

The hashing, the user agents and the sketches are a thread's; Redis is asked from the event loop. What Redis does not
take is offered again with the next notes for as long as there is room for it.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from gateway.attendance.batch import MAX_VISITORS, Batch
from gateway.attendance.buckets import Buckets
from gateway.attendance.devices import Devices
from gateway.attendance.identities import (
    Salts,
    Seen,
    Visitor,
    epoch_of,
    epochs_of,
    session_digest,
    user_digest,
)
from gateway.attendance.stays import Stays
from gateway.attendance_figures import Counts, Device, Kind, WindowMinutes
from gateway.errors import SharedUnavailable
from runtime.logs import get_logger

log = get_logger("gateway")

FLUSH_SECONDS = 1.0
MINUTE = 60


class AttendanceObserver(Protocol):
    """What the register tells."""

    def lost(self, reason: Literal["full", "redis"], count: int) -> None:
        """Visits that are in no count: too many at once, or kept too long from Redis."""

    def stayed(self, device: Device, seconds: float) -> None:
        """A session has ended that was here so long."""


class Shared(Protocol):
    """The counts of all gateways. Both raise SharedUnavailable."""

    async def add(self, minutes: Mapping[int, Mapping[Visitor, Device]]) -> None:
        """Add what was seen in each minute."""

    def counts(self, minute: int) -> Counts:
        """How many are here, as of that minute; from a thread of its own."""

    async def close(self) -> None:
        """Close the connections."""


class AttendanceRegister:
    """`see`, `opened` and `closed` are the requests' side, on the event loop; `run` and `end` the counting."""

    def __init__(
        self,
        windows: WindowMinutes,
        metrics: AttendanceObserver,
        shared: Shared | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.windows = windows
        self.buckets = Buckets(windows.limit + 1)
        self.shared = shared
        self.trouble = ""
        self._metrics = metrics
        self._clock = clock
        self._batch = Batch()
        self._owed: dict[int, dict[Visitor, Device]] = {}
        self._open: Counter[Visitor] = Counter()
        self._open_counted = 0
        self._salts = Salts()
        self._devices = Devices()
        self._stays = Stays(windows.session * MINUTE, metrics.stayed)
        self._full = asyncio.Event()
        self._ending = False

    # --- the requests' side ------------------------------------------------------------------------------

    def see(self, visitor: Seen) -> None:
        """Note that somebody is here now."""
        if self._batch.add(int(self._clock()) // MINUTE, visitor):
            self._full.set()

    def opened(self, visitor: Visitor) -> None:
        """Note a WebSocket, which is counted in each minute until it is closed."""
        self._open[visitor] += 1
        self.see(visitor)

    def closed(self, visitor: Visitor) -> None:
        """Note that a WebSocket is closed."""
        self._open[visitor] -= 1
        if self._open[visitor] <= 0:
            del self._open[visitor]
        self.see(visitor)

    # --- the counting ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Count again and again until `end`, and then what is left."""
        sharing: asyncio.Task[None] | None = None
        while not self._ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._full.wait()
            try:
                await self._count()
            except Exception:
                log.exception("who is here cannot be counted")
            if sharing is None or sharing.done():  # a slow Redis holds up nothing here
                sharing = asyncio.create_task(self._share())
        if sharing is not None:
            await sharing
        await self.flush()
        self._stays.end_all()
        if self.shared is not None:
            self._lose("redis", sum(map(len, self._owed.values())))
            await self.shared.close()

    def end(self) -> None:
        """Let `run` count what is left, and return."""
        self._ending = True
        self._full.set()

    async def flush(self) -> None:
        """Count the notes, and share them."""
        await self._count()
        await self._share()

    # --- inside ------------------------------------------------------------------------------------------

    async def _count(self) -> None:
        """Count the notes here, in a thread, and owe them to Redis."""
        self._note_open()
        batch, self._batch = self._batch, Batch()
        self._full.clear()
        self._lose("full", batch.lost)
        self._owe(await asyncio.to_thread(self._count_batch, batch, self._clock()))

    def _note_open(self) -> None:
        """Note the open WebSockets, at the first flush of a minute."""
        minute = int(self._clock()) // MINUTE
        if minute != self._open_counted:
            self._open_counted = minute
            room = MAX_VISITORS - len(self._batch)
            self._lose("full", len(self._open) - room)
            for visitor in list(self._open)[:room]:
                self._batch.add(minute, visitor)

    def _count_batch(self, batch: Batch, wall: float) -> dict[int, dict[Visitor, Device]]:
        """Count notes; returns them with their devices."""
        now = int(wall) // MINUTE
        self._devices.begin()
        found = {
            minute: {each: self._devices.of(each.agent, each.device) for each in visitors}
            for minute, visitors in batch.minutes.items()
        }
        for minute, seen in found.items():
            epochs = epochs_of(minute, self.windows.limit)
            names: dict[Visitor, list[bytes]] = {each: [] for each in seen}
            for epoch in epochs:
                self._hash(epoch, minute, seen, names)
            for visitor, device in seen.items():
                self._stays.seen(names[visitor], device, wall)
        self.buckets.forget(now)
        self._stays.end_silent(wall)
        self._salts.keep(range(epoch_of(now) - 1, epoch_of(now) + 2))
        return found

    def _hash(
        self, epoch: int, minute: int, seen: dict[Visitor, Device], names: dict[Visitor, list[bytes]]
    ) -> None:
        salt = self._salts.of(epoch)
        digests: dict[tuple[Kind, Device], list[bytes]] = {}
        for visitor, device in seen.items():
            session = session_digest(salt, visitor)
            names[visitor].append(session)
            digests.setdefault(("sessions", device), []).append(session)
            if visitor.user:
                digests.setdefault(("users", device), []).append(user_digest(salt, visitor))
        for (kind, device), each in digests.items():
            self.buckets.add(epoch, minute, kind, device, each)

    async def _share(self) -> None:
        """Offer Redis what it is owed."""
        oldest = int(self._clock()) // MINUTE - self.windows.limit
        owed = {minute: each for minute, each in self._owed.items() if minute >= oldest}
        self._owed = {}
        if self.shared is None or not owed:
            return
        try:
            await self.shared.add(owed)
        except SharedUnavailable as error:
            if not self.trouble:
                log.warning("who is here is counted for this gateway alone", error=str(error))
            self.trouble = str(error)
            self._owe(owed)
            return
        if self.trouble:
            log.info("who is here is counted with the other gateways again")
        self.trouble = ""

    def _owe(self, seen: dict[int, dict[Visitor, Device]]) -> None:
        """Keep what Redis is to get, as much as there is room for: the newest."""
        if self.shared is None:
            return
        for minute, visitors in seen.items():
            self._owed.setdefault(minute, {}).update(visitors)
        over = sum(map(len, self._owed.values())) - MAX_VISITORS
        while over > 0:
            oldest = min(self._owed)
            dropped = list(self._owed[oldest])[:over]
            for visitor in dropped:
                del self._owed[oldest][visitor]
            if not self._owed[oldest]:
                del self._owed[oldest]
            over -= len(dropped)
            self._lose("redis", len(dropped))

    def _lose(self, reason: Literal["full", "redis"], count: int) -> None:
        if count > 0:
            self._metrics.lost(reason, count)
