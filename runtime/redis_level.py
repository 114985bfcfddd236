"""The level that machines share: a Redis, which may be slow, gone, full, or somebody else's."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from runtime.logs import get_logger

log = get_logger("cache")

PREFIX = b"framefleet:result:"
LEFT_ALONE = 5.0
"""Seconds for which a Redis that failed is not asked again."""
MOST_BYTES = 4 << 20
"""Of one value; what is longer is not ours."""
SECONDS = 0.25
"""How long a connection, and how long an answer, may take: a picture is computed in less than a second."""


class RedisCommands(Protocol):
    """What is used of a Redis client."""

    def getrange(self, name: bytes, start: int, end: int) -> Any: ...
    def set(self, name: bytes, value: bytes, *, px: int) -> Any: ...
    def close(self) -> Any: ...


class RemoteLevel:
    """Bytes by key in a Redis, each for `ttl` seconds; how much it holds is its own `maxmemory`'s matter.

    After a failure it is left alone for some seconds. So a Redis that is frozen costs a command's time limit every few
    seconds, however many pictures there are; one that is gone costs less.
    """

    name = "redis"

    def __init__(
        self,
        store: RedisCommands,
        ttl: float,
        *,
        failures: tuple[type[Exception], ...],
        sentence: Callable[[Exception], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ttl = ttl
        self._failures = failures
        self._sentence = sentence
        self._clock = clock
        self._alone_until = float("-inf")
        self.failed = 0
        """How many commands failed."""

    def get(self, key: bytes) -> bytes | None:
        # Never more than is ours to expect, whatever somebody put there.
        value = self._do(lambda: self._store.getrange(PREFIX + key, 0, MOST_BYTES))
        return value if isinstance(value, bytes) and 0 < len(value) <= MOST_BYTES else None

    def put(self, key: bytes, value: bytes) -> None:
        if 0 < len(value) <= MOST_BYTES:
            self._do(lambda: self._store.set(PREFIX + key, value, px=max(1, int(self._ttl * 1000))))

    def close(self) -> None:
        self._store.close()

    def _do(self, command: Callable[[], Any]) -> Any:
        if self._clock() < self._alone_until:
            return None
        try:
            return command()
        except self._failures as error:
            self.failed += 1
            if "WRONGTYPE" in str(error):  # that key is somebody else's, the Redis is well
                return None
            self._alone_until = self._clock() + LEFT_ALONE
            log.warning("results of other machines are not at hand", why=self._sentence(error))
        return None


def redis_level(url: str, ttl: float, *, connections: int = 2) -> RemoteLevel:
    """The level at that address, as a RedisUrl has checked it; it connects when it is first asked.

    `connections` are as many as threads use it.
    """
    from runtime import redis  # costs a third of a second, and only with REDIS_URL

    return RemoteLevel(
        redis.plain(url, seconds=SECONDS, connections=connections),
        ttl,
        failures=redis.FAILURES,
        sentence=lambda error: redis.sentence(error, url),
    )
