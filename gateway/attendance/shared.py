"""The counts of all gateways, in Redis: HyperLogLogs that expire by themselves, and the salts that all hash under.

Two keys for each minute, kind and device, and what is counted goes into one of them by its hash: Redis' HyperLogLog is
off by 0.81 % (one standard deviation), and the sum of two by 0.57 %. Adding again changes nothing, so what may not have
arrived is sent again.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.attendance.identities import (
    EPOCH_MINUTES,
    SALT_BYTES,
    Salts,
    Visitor,
    epoch_of,
    epochs_of,
    session_digest,
    user_digest,
)
from gateway.attendance_figures import ALL, DEVICES, KINDS, PEOPLE, Counts, Device, Kind, WindowMinutes
from gateway.errors import SharedUnavailable
from runtime.redis import FAILURES, asynchronous, plain, sentence

PREFIX = "framefleet:{attendance}"
"""With a hash tag: in a cluster all keys of a question lie on one node."""
PARTS = 2
ANSWER_SECONDS = 0.5
FLUSH_SECONDS = 3.0
AT_ONCE = 1_000
"""So many elements in one command: Redis does nothing else meanwhile."""

_GROUPS: dict[str, tuple[Device, ...]] = {ALL: PEOPLE, **{device: (device,) for device in DEVICES}}

Seen = Mapping[Visitor, Device]


class SharedCounts:
    """Adds from the event loop, and counts from other threads. Both raise SharedUnavailable."""

    def __init__(self, url: str, windows: WindowMinutes) -> None:
        self._url = url
        self._windows = windows
        self._writes = asynchronous(url, seconds=ANSWER_SECONDS)
        self._reads = plain(url, seconds=ANSWER_SECONDS)
        self._salts = Salts()

    async def add(self, minutes: Mapping[int, Seen]) -> None:
        """Add what was seen in each minute."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._add(minutes)
        except (*FAILURES, TimeoutError) as error:
            raise SharedUnavailable(sentence(error, self._url)) from error

    def counts(self, minute: int) -> Counts:
        """How many are here, as of that minute."""
        try:
            return self._counts(minute)
        except (*FAILURES, ValueError) as error:
            raise SharedUnavailable(sentence(error, self._url)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._writes.aclose()
        self._reads.close()

    async def _add(self, minutes: Mapping[int, Seen]) -> None:
        longest = self._windows.limit
        epochs = {epoch for minute in minutes for epoch in epochs_of(minute, longest)}
        salts = {epoch: await self._salt(epoch) for epoch in sorted(epochs)}
        added = await asyncio.to_thread(_additions, minutes, salts, longest)
        async with self._writes.pipeline(transaction=False) as pipeline:
            for name, digests in added:
                for begin in range(0, len(digests), AT_ONCE):
                    pipeline.pfadd(name, *digests[begin : begin + AT_ONCE])
                pipeline.expire(name, 60 * (longest + 3))
            await pipeline.execute()
        self._salts.keep(epochs)

    def _counts(self, minute: int) -> Counts:
        epoch = epoch_of(minute)
        asked: list[tuple[str, Kind, str]] = []
        with self._reads.pipeline(transaction=False) as pipeline:
            for window, minutes in self._windows._asdict().items():
                for kind in KINDS:
                    for device, devices in _GROUPS.items():
                        for part in range(PARTS):
                            pipeline.pfcount(*_named(epoch, minute, minutes, kind, devices, part))
                            asked.append((window, kind, device))
            answers = pipeline.execute()
        counts: dict[str, dict[Kind, dict[str, int]]] = {}
        for (window, kind, device), count in zip(asked, answers, strict=True):
            of_kind = counts.setdefault(window, {}).setdefault(kind, {})
            of_kind[device] = of_kind.get(device, 0) + int(count)
        return counts

    async def _salt(self, epoch: int) -> bytes:
        """The salt that all gateways hash under on that day: whoever needs it first makes it."""
        name = f"{PREFIX}:salt:{epoch}"
        async with self._writes.pipeline(transaction=False) as pipeline:
            own = self._salts.of(epoch)  # put back where Redis has lost its data
            pipeline.set(name, own, nx=True, ex=60 * (EPOCH_MINUTES + 2 * self._windows.limit))
            pipeline.get(name)
            _, salt = await pipeline.execute()
        if not isinstance(salt, bytes) or len(salt) != SALT_BYTES:
            salt = secrets.token_bytes(SALT_BYTES)  # somebody else's value
            await self._writes.set(name, salt, ex=60 * (EPOCH_MINUTES + 2 * self._windows.limit))
        self._salts.learn(epoch, salt)
        return salt


def _additions(
    minutes: Mapping[int, Seen], salts: Mapping[int, bytes], longest: int
) -> list[tuple[str, list[Any]]]:
    """All keys, each with what is to be added to it."""
    return [
        each
        for minute, seen in minutes.items()
        for epoch in epochs_of(minute, longest)
        for each in _keys(epoch, minute, salts[epoch], seen)
    ]


def _keys(epoch: int, minute: int, salt: bytes, seen: Seen) -> Iterable[tuple[str, list[Any]]]:
    """The keys of a minute, each with what is to be added to it."""
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for visitor, device in seen.items():
        session = session_digest(salt, visitor)
        found[_name(epoch, minute, "sessions", device, session[0] % PARTS)].add(session)
        if visitor.user:
            user = user_digest(salt, visitor)
            found[_name(epoch, minute, "users", device, user[0] % PARTS)].add(user)
    return ((name, list(digests)) for name, digests in found.items())


def _named(
    epoch: int, minute: int, minutes: int, kind: Kind, devices: Iterable[Device], part: int
) -> list[str]:
    """The keys of a window."""
    return [
        _name(epoch, each, kind, device, part)
        for device in devices
        for each in range(minute - minutes, minute + 1)
    ]


def _name(epoch: int, minute: int, kind: Kind, device: Device, part: int) -> str:
    return f"{PREFIX}:{epoch}:{minute}:{kind}:{device}:{part}"
