"""The asyncio loop that connections live on: the one that runs here, or one in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pika
import structlog

from broker.sockets import EagerSockets, Sockets, WholeConnection

log = structlog.get_logger("broker")

Callback = Callable[[], None]


class AsyncioLoop:
    """An asyncio loop, by default the running one. Only `call_soon_threadsafe` may be called from other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    def call_later(self, delay: float, callback: Callback) -> Callback:
        """Run `callback` after `delay` seconds; returns what cancels it."""
        return self._loop.call_later(delay, callback).cancel

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Run `callback` on the loop, from any thread."""
        self._loop.call_soon_threadsafe(callback)

    def connect(
        self,
        parameters: pika.URLParameters,
        *,
        opened: Callable[[Any], None],
        failed: Callable[[Any, Any], None],
        closed: Callable[[Any, Any], None],
    ) -> Any:
        """Begin one connection attempt; exactly one of `opened` and `failed` is called."""
        # TLS sends when its own protocol allows it, not when we have something to say.
        kind = EagerSockets if parameters.ssl_options is None else Sockets
        return WholeConnection(parameters, opened, failed, closed, custom_ioloop=kind(self._loop))


class ThreadLoop(AsyncioLoop):
    """A loop in a thread of its own, so that heartbeats go on whatever the other threads compute.

    An exception that nothing on the loop has caught ends the thread, and `on_crash` hears of it: a process that can
    no longer talk to its broker must not look alive.
    """

    def __init__(self, on_crash: Callable[[str], None], name: str = "amqp") -> None:
        super().__init__(asyncio.new_event_loop())
        self._loop.set_exception_handler(self._crashed)
        self._on_crash = on_crash
        self._stopping = False
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """The thread runs. May be read from any thread."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread; call it once the connections are closed."""
        self._stopping = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._loop.close()

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Run `callback` on the loop, from any thread; after `stop` nothing happens."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            super().call_soon_threadsafe(callback)

    def _crashed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self._stopping:
            return  # what is left undone then, a connection attempt say, is not news
        error = context.get("exception") or RuntimeError(context["message"])
        log.error("the broker's thread crashed", exc_info=error)
        loop.stop()
        self._on_crash(f"the broker's thread crashed: {type(error).__name__}: {error}")
