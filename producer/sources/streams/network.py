"""The HTTP client of a decoding process, for all its cameras: their threads wait for what an event loop does."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from producer.sources.http.client import HttpClient

Result = TypeVar("Result")

CONNECTIONS = 64
"""Eight cameras at most ask for one thing at a time; a confined process may open few files."""


class Network:
    """An event loop, in a thread of its own once it is `start`ed, and the client that lives in it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._client: HttpClient | None = None

    def start(self) -> None:
        """Begin; it ends with the process."""
        threading.Thread(target=self.loop.run_forever, name="http", daemon=True).start()

    @property
    def client(self) -> HttpClient:
        """The client; to be asked for inside the loop."""
        if self._client is None:
            self._client = HttpClient(connections=CONNECTIONS, proxies=True)
        return self._client

    def run(self, work: Coroutine[Any, Any, Result], until: float) -> Result:
        """What the work results in, or raises; TimeoutError if that takes longer than `until` (monotonic)."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(None if until == float("inf") else max(0.0, until - time.monotonic()))
        except TimeoutError:
            future.cancel()
            raise


_starting = threading.Lock()
_started: list[Network] = []


def shared_network() -> Network:
    """The one of this process; started by whoever needs it first."""
    with _starting:
        if not _started:
            network = Network()
            network.start()
            _started.append(network)
        return _started[0]
