"""A real gateway inside the test's event loop: real uvicorn, real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.metrics import GatewayMetrics
from gateway.service import Gateway, compose
from gateway.settings import GatewaySettings

TOKEN = "a-token-of-the-test-suite"
NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"


@asynccontextmanager
async def running_gateway(
    folder: Path, *, patience: float = 10.0, request_seconds: float = 10.0, **settings: Any
) -> AsyncIterator[Gateway]:
    """Serve on free ports until the block ends; `folder` takes the data and may hold a `dist`."""
    chosen: dict[str, Any] = {
        "amqp_url": NO_BROKER,
        "port": 0,
        "metrics_port": 0,
        "token": TOKEN,
        "data_dir": folder / "data",
        "dashboard_dir": folder / "dist",
        "canary_seconds": 0,  # tests count what is in queues
    }
    async with compose(
        GatewaySettings(**{**chosen, **settings}),
        metrics=GatewayMetrics(CollectorRegistry()),
        patience=patience,
        request_seconds=request_seconds,
    ) as gateway:
        task = asyncio.create_task(gateway.serve())
        try:
            async with asyncio.timeout(10):
                while not gateway.serving:
                    if task.done():
                        task.result()
                    await asyncio.sleep(0.01)
            yield gateway
        finally:
            gateway.stop()
            async with asyncio.timeout(10):
                await task
