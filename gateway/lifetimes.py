"""What lasts as long as the gateway and is ended with it: its metrics port, its link to the broker, its tasks."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

from broker.link import Link
from gateway.attendance.register import AttendanceRegister
from gateway.errors import cannot_listen
from gateway.metrics import GatewayMetrics
from gateway.readiness import Readiness
from gateway.settings import GatewaySettings
from runtime.logs import get_logger
from runtime.probes import ProbeServer, serve_probes

log = get_logger("gateway")

TICK_SECONDS = 1.0
BROKER_GRACE_SECONDS = 0.8


@contextmanager
def probing(
    settings: GatewaySettings, readiness: Readiness, metrics: GatewayMetrics
) -> Iterator[ProbeServer]:
    """Serve the metrics port during the block. Raises CannotStart."""
    try:
        probes = serve_probes(
            settings.metrics_host, settings.metrics_port, readiness.missing, metrics.registry
        )
    except OSError as error:
        raise cannot_listen(
            f"cannot listen on the metrics port {settings.metrics_port}: {error.strerror}; set GATEWAY_METRICS_PORT",
            error,
        ) from None
    with contextlib.closing(probes):
        yield probes


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator[None]:
    """Keep the link to the broker during the block, and leave it within the grace."""
    link.start()
    try:
        yield
    finally:
        with contextlib.suppress(TimeoutError):
            await link.stop(BROKER_GRACE_SECONDS)


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do some work beside the block; it is cancelled at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def counting(register: AttendanceRegister) -> AsyncIterator[None]:
    """Count who is here during the block, and at its end what is left to be counted."""
    task = asyncio.create_task(register.run())
    try:
        yield
    finally:
        register.end()
        await task


async def ticking(ticks: tuple[Callable[[float], None], ...]) -> None:
    """Call each once a second, with the monotonic time."""
    while True:
        now = time.monotonic()
        for tick in ticks:
            try:
                tick(now)
            except Exception:
                log.exception("the tick failed")
        await asyncio.sleep(TICK_SECONDS)
