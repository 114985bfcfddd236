"""Books in Redis, for all workers with the same REDIS_URL. Redis should keep them on its disk (docs/remote.md)."""

from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from runtime.redis import FAILURES
from worker.remote.books import COLUMNS, Booking, Period, Totals

MOST_SEEN = 4
"""Periods that are remembered here."""

RESERVE = """
local amount = tonumber(ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'booking:' .. ARGV[2]) == 1 then return 1 end
for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[i + 2])
  if limit >= 0 then
    local booked = amount
    for _, value in ipairs(redis.call('HMGET', key, 'spent', 'uncertain', 'reserved')) do
      booked = booked + (tonumber(value) or 0)
    end
    if booked > limit then return 0 end
  end
end
for _, key in ipairs(KEYS) do
  redis.call('HSET', key, 'booking:' .. ARGV[2], ARGV[1])
  redis.call('HINCRBY', key, 'reserved', ARGV[1])
  redis.call('HINCRBY', key, 'calls', 1)
end
return 1
"""

SETTLE = """
for _, key in ipairs(KEYS) do
  if redis.call('HDEL', key, 'booking:' .. ARGV[5]) == 1 then
    redis.call('HINCRBY', key, 'spent', ARGV[1])
    redis.call('HINCRBY', key, 'uncertain', ARGV[2])
    redis.call('HINCRBY', key, 'reserved', '-' .. ARGV[3])
    redis.call('HINCRBY', key, 'frames', ARGV[4])
  end
end
"""
"""Either may be sent twice, by a client that lost its connection meanwhile: the booking's name makes it count once."""

RESTORE = """
local known = redis.call('HMGET', KEYS[1], 'spent', 'uncertain')
if (tonumber(known[1]) or 0) + (tonumber(known[2]) or 0) < ARGV[1] + ARGV[2] then
  redis.call('HSET', KEYS[1], 'spent', ARGV[1], 'uncertain', ARGV[2], 'calls', ARGV[3], 'frames', ARGV[4])
end
"""
"""What was spent never becomes less: where it did, Redis has lost it (a restart without a disk), and we remember."""


class RedisBooks:
    """The books as hashes. Numbers below 2**53 billionths, nine million dollars, are exact in Lua, too."""

    failures: tuple[type[Exception], ...] = FAILURES

    def __init__(self, client: Any) -> None:
        self._client = client
        self._reserve = client.register_script(RESERVE)
        self._settle = client.register_script(SETTLE)
        self._restore = client.register_script(RESTORE)
        self._seen: dict[str, Totals] = {}
        self._doubtful: deque[Booking] = deque()  # a frozen Redis may have booked them when it woke up

    async def reserve(self, periods: Sequence[Period], amount: int) -> Booking | None:
        booking = Booking(tuple(period.name for period in periods), amount, uuid4().hex)
        limits = [-1 if period.limit is None else period.limit for period in periods]
        arguments = [amount, booking.name, *limits]
        try:
            booked = await self._reserve(keys=_keys(booking.periods), args=arguments)
        except FAILURES:
            self._doubtful.append(booking)
            raise
        return booking if booked else None

    async def settle(self, booking: Booking, *, spent: int, uncertain: int, frames: int) -> None:
        arguments = [spent, uncertain, booking.amount, frames, booking.name]
        await self._settle(keys=_keys(booking.periods), args=arguments)

    async def totals(self, names: Sequence[str]) -> list[Totals]:
        while self._doubtful:
            await self.settle(self._doubtful[0], spent=0, uncertain=0, frames=0)
            self._doubtful.popleft()
        return [await self._read(name) for name in names]

    async def identity(self) -> str:
        (key,) = _keys(["identity"])
        await self._client.set(key, uuid4().hex[:12], nx=True)
        return f"redis:{(await self._client.get(key) or b'').decode()}"

    async def _read(self, name: str) -> Totals:
        (key,) = _keys([name])
        read = await self._hash(key)
        seen = self._seen.get(name, Totals())
        if read.spent + read.uncertain < seen.spent + seen.uncertain:
            arguments = [seen.spent, seen.uncertain, seen.calls, seen.frames]
            await self._restore(keys=[key], args=arguments)
            read = await self._hash(key)
        self._seen = {each: totals for each, totals in self._seen.items() if each != name} | {name: read}
        while len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return read

    async def _hash(self, key: str) -> Totals:
        return Totals(*(int(value or 0) for value in await self._client.hmget(key, COLUMNS)))

    async def close(self) -> None:
        """The client is its maker's to close."""


def _keys(names: Sequence[str]) -> list[str]:
    return [f"framefleet:remote:{{books}}:{name}" for name in names]
