"""The private RabbitMQ as a part of the supervised system."""

import asyncio
import threading

from cli.child import exited
from cli.display import Wait
from cli.errors import RabbitMQError, StartFailed
from cli.part import Exit
from cli.rabbitmq import RabbitMQNode


class BrokerPart:
    """Starts and ends a RabbitMQNode in threads: it waits by polling, and the supervisor must not."""

    name = "rabbitmq"

    def __init__(self, node: RabbitMQNode, progress: Wait) -> None:
        self._node = node
        self._progress = progress
        self._abandon = threading.Event()
        self._one_at_a_time = threading.Lock()  # a stop may come while a thread still launches

    @property
    def pids(self) -> dict[str, int]:
        epmd = self._node.epmd.process
        pids = {"epmd": epmd.pid if epmd else None, self.name: self._node.pid}
        return {name: pid for name, pid in pids.items() if pid is not None}

    async def start(self) -> None:
        """Start it, without waiting until it answers: see `ready`. Raises StartFailed."""
        try:
            await asyncio.to_thread(self._launch)
        except (RabbitMQError, OSError) as error:
            raise StartFailed(str(error)) from error

    async def ready(self) -> None:
        """Return when it speaks AMQP. Raises StartFailed with its last words."""
        try:
            await asyncio.to_thread(self._node.wait_ready, 90, self._tick)
        except RabbitMQError as error:
            raise StartFailed(str(error)) from error

    async def ended(self) -> Exit:
        process = self._node.process
        if process is None:
            return Exit(0)
        if process.returncode is None:
            await exited(process.pid)
        return Exit(process.wait(), (f"see {self._node.log}",))

    async def stop(self) -> None:
        self._abandon.set()
        await asyncio.to_thread(self._stop)

    def kill(self) -> None:
        self._abandon.set()
        self._node.stop(grace=0)

    def _launch(self) -> None:
        with self._one_at_a_time:
            if not self._abandon.is_set():
                self._node.launch()

    def _stop(self) -> None:
        with self._one_at_a_time:
            self._node.stop()

    def _tick(self, elapsed: float, /) -> None:
        if self._abandon.is_set():
            raise RabbitMQError("RabbitMQ was stopped while it started")
        self._progress(elapsed)
