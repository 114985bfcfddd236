"""Calls and tokens in any minute, of all workers together: a sliding window, exact.

The endpoint counts a call when it arrives. Here it is counted when it leaves, so the window is a second longer than a
minute, and a call that has not left soon after it was counted is counted anew (worker.remote.endpoint): no two calls
can come closer together on their way than they were let go. A fixed window would let twice as many through around its
border, and a token bucket its whole content on top.
"""

from typing import Any, Protocol
from uuid import uuid4

MINUTE = 60.0
MARGIN = 1.0
"""Seconds by which calls may come closer together on their way."""
KEYS = ("calls", "tokens", "forbidden", "memory")


class CallRate(Protocol):
    """The limit that a call has to pass."""

    async def take(self, tokens: int) -> float:
        """Count a call with so many tokens, and return 0; or count nothing, and return the seconds to wait first."""

    async def forbid(self, seconds: float) -> None:
        """Let no call through for so long: the endpoint asked for it."""

    async def close(self) -> None:
        """Let go of the place where calls are counted."""


TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('SET', KEYS[4], ARGV[6], 'NX')
local memory = redis.call('GET', KEYS[4])
if ARGV[7] ~= '' and ARGV[7] ~= memory then
  redis.call('SET', KEYS[3], 1, 'PX', math.ceil(ARGV[1] / 1000))
end
local forbidden = redis.call('PTTL', KEYS[3])
if forbidden > 0 then return {forbidden, memory} end
local window, calls, most, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - window)) do
  redis.call('DECRBY', KEYS[2], tonumber(string.match(old, '^%d+')))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
if count == 0 then redis.call('SET', KEYS[2], 0) end
if count >= calls then
  return {math.ceil((redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + window - now) / 1000) + 1, memory}
end
if most > 0 then
  tokens = math.min(tokens, most)
  local excess = redis.call('GET', KEYS[2]) + tokens - most
  if excess > 0 then
    local taken = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
    for i = 1, #taken, 2 do
      excess = excess - string.match(taken[i], '^%d+')
      if excess <= 0 then return {math.ceil((taken[i + 1] + window - now) / 1000) + 1, memory} end
    end
    return {math.ceil(window / 1000), memory}
  end
end
redis.call('ZADD', KEYS[1], now, string.format('%d:%.0f:%s', tokens, now, ARGV[5]))
redis.call('INCRBY', KEYS[2], tokens)
return {0, memory}
"""
"""By Redis' own clock, whatever those of the workers say. Answers milliseconds, and the name of Redis' memory.

Whoever knew another memory has seen calls that this one has forgotten: Redis was restarted without its disk, or
emptied. Then nobody calls for a whole window. What is counted has no time to live, so that no policy evicts it.
"""


class RedisRate:
    """For all workers with the same Redis, endpoint and model. What Redis raises is the caller's (`FAILURES`)."""

    def __init__(
        self, client: Any, name: str, calls: int, tokens: int | None, *, worker: str, window: float = MINUTE
    ) -> None:
        self._client = client
        self._keys = [f"framefleet:remote:{{{name}}}:{part}" for part in KEYS]
        self._script = client.register_script(TAKE)
        self._arguments = [int((window + MARGIN) * 1e6), calls, tokens or 0]
        self._worker = worker
        self._count = 0
        self._memory = b""

    async def take(self, tokens: int) -> float:
        self._count += 1
        arguments = [*self._arguments, tokens, f"{self._worker}:{self._count}", uuid4().hex, self._memory]
        milliseconds, self._memory = await self._script(keys=self._keys, args=arguments)
        return float(milliseconds) / 1000

    async def forbid(self, seconds: float) -> None:
        wanted = int(seconds * 1000)
        if wanted > 0 and await self._client.pttl(self._keys[2]) < wanted:
            await self._client.set(self._keys[2], 1, px=wanted)

    async def close(self) -> None:
        """The client is its maker's to close."""
