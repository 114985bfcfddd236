"""The two event loops that a connection can live on: a thread of its own, or a running asyncio loop.

pika's callback connections behave the same on both; what differs is how a callback gets onto the loop.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Protocol

import pika
import structlog
from pika.adapters.select_connection import IOLoop

from broker.sockets import Eager, WholeAsyncio, WholeSelect

log = structlog.get_logger("broker")

Callback = Callable[[], None]


class Loop(Protocol):
    """What a connection needs of its event loop. Everything but `call_soon_threadsafe` is for the loop's thread."""

    def call_later(self, delay: float, callback: Callback) -> Callback:
        """Run `callback` after `delay` seconds; returns what cancels it."""

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Run `callback` on the loop, from any thread."""

    def connect(
        self,
        parameters: pika.URLParameters,
        *,
        opened: Callable[[Any], None],
        failed: Callable[[Any, Any], None],
        closed: Callable[[Any, Any], None],
    ) -> Any:
        """Begin one connection attempt; exactly one of `opened` and `failed` is called."""


class AsyncioLoop:
    """The running asyncio loop. Construct it inside the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def call_later(self, delay: float, callback: Callback) -> Callback:
        return self._loop.call_later(delay, callback).cancel

    def call_soon_threadsafe(self, callback: Callback) -> None:
        self._loop.call_soon_threadsafe(callback)

    def connect(
        self,
        parameters: pika.URLParameters,
        *,
        opened: Callable[[Any], None],
        failed: Callable[[Any, Any], None],
        closed: Callable[[Any, Any], None],
    ) -> Any:
        return WholeAsyncio(parameters, opened, failed, closed, custom_ioloop=self._loop)


class ThreadLoop:
    """An I/O loop in a thread of its own, so that heartbeats go on whatever the other threads compute.

    `on_crash` hears of an exception that ended the thread: without it the process can do no more.
    """

    def __init__(self, on_crash: Callable[[str], None], name: str = "amqp") -> None:
        self._loop = IOLoop()
        self._on_crash = on_crash
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs. May be read from any thread."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._loop.start()
        except Exception as error:
            log.exception("the broker's thread crashed")
            self._on_crash(f"the broker's thread crashed: {type(error).__name__}: {error}")

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread; call it once the connections are closed."""
        self._loop.add_callback_threadsafe(self._loop.stop)
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._loop.close()

    def call_later(self, delay: float, callback: Callback) -> Callback:
        handle = self._loop.call_later(delay, callback)
        return lambda: self._loop.remove_timeout(handle)

    def call_soon_threadsafe(self, callback: Callback) -> None:
        self._loop.add_callback_threadsafe(callback)

    def connect(
        self,
        parameters: pika.URLParameters,
        *,
        opened: Callable[[Any], None],
        failed: Callable[[Any, Any], None],
        closed: Callable[[Any, Any], None],
    ) -> Any:
        # TLS sends when its own protocol allows it, not when we have something to say.
        loop = self._loop if parameters.ssl_options is not None else Eager(self._loop)
        return WholeSelect(parameters, opened, failed, closed, custom_ioloop=loop)
