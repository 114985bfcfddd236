"""Clients of a Redis that may be slow or gone, and what its failures mean, in sentences.

Every wait has a bound, and a command is sent twice at most: again only where the connection had been closed meanwhile,
as after a restart. Whoever needs an answer for a request bounds the whole by `asyncio.timeout` besides: a name that
does not resolve, a connection and an answer may each take their time.

Import this module only where REDIS_URL is set: the client costs a third of a second at start.
"""

import builtins
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

from runtime.redis_url import place

FAILURES = (RedisError, OSError)
"""All that a call may raise because of the Redis or the way to it."""

SECONDS = 1.0
"""How long a connection, and how long an answer, may take by default."""


def asynchronous(url: str, *, seconds: float = SECONDS, connections: int = 8) -> AsyncRedis:
    """Make a client for an event loop; it connects when it is first used. Answers are bytes.

    Args:
        url: A checked address (`runtime.redis_url.RedisUrl`).
        seconds: How long a connection, and how long an answer, may take.
        connections: How many are open at once; one more is refused at once (MaxConnectionsError, of FAILURES).
    """
    retry = AsyncRetry(NoBackoff(), 1, supported_errors=(ConnectionError,))
    return AsyncRedis.from_url(url, retry=retry, max_connections=connections, **_bounds(seconds))


def plain(url: str, *, seconds: float = SECONDS, connections: int = 8) -> Redis:
    """Make a client for threads, as `asynchronous` does for an event loop."""
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
    return Redis.from_url(url, retry=retry, max_connections=connections, **_bounds(seconds))


def sentence(error: BaseException, url: str) -> str:
    """Say what a failure means and what to do; neither the password nor the user name is in it."""
    where = f"the Redis at {place(url)}"
    text = str(error)
    if isinstance(error, AuthenticationError) or "NOAUTH" in text or "Authentication required" in text:
        return f"{where} refuses: put the right password (and user name) into REDIS_URL, redis://:password@host:6379/0"
    if isinstance(error, NoPermissionError):
        return f"{where} does not allow its user this ({_first_words(text)}): widen its ACL"
    if isinstance(error, BusyLoadingError):
        return f"{where} is loading its data: it will serve soon"
    if isinstance(error, ReadOnlyError):
        return f"{where} is a replica and takes no writes: name its primary in REDIS_URL"
    if isinstance(error, OutOfMemoryError):
        return f"{where} is full: raise its maxmemory, or choose a maxmemory-policy that evicts volatile keys"
    if "WRONGTYPE" in text:
        return f"{where} has another program's value under a key of ours: give us a database of our own (/1)"
    if isinstance(error, (TimeoutError, builtins.TimeoutError)):
        tls = ", or speaks no TLS (then: redis://)" if urlsplit(url).scheme == "rediss" else ""
        return f"{where} does not answer in time: see whether it is overloaded, or stopped{tls}"
    if "CERTIFICATE" in text.upper():
        return f"{where} shows a certificate that is not trusted: add ?ssl_ca_certs=FILE to REDIS_URL"
    if isinstance(error, MaxConnectionsError):
        return f"{where} is slow: all our connections to it are in use"
    if any(word in text.lower() for word in ("ssl", "closed", "reset")):
        tls = (
            "may speak no TLS: try redis://"
            if urlsplit(url).scheme == "rediss"
            else "may ask for TLS: try rediss://"
        )
        return f"{where} closes connections: it was just stopped, or {tls} in REDIS_URL"
    if isinstance(error, (ConnectionError, OSError)):
        return f"{where} cannot be reached: start it, or correct REDIS_URL"
    return f"{where} refuses ({_first_words(text)})"


def _bounds(seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "client_name": "framefleet",
        "protocol": 2,  # what every Redis, Valkey and proxy before one speaks
    }


def _first_words(text: str, length: int = 100) -> str:
    return text.splitlines()[0][:length] if text else "no reason given"
