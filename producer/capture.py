"""Runs one camera: opens its source, passes its frames on, and opens it again for ever if that can help."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from broker.backoff import compute_backoff
from producer.cameras import Camera
from producer.frames import Captured, Frame, Source, SourceError
from producer.metrics import ProducerMetrics
from runtime.logs import get_logger

log: Any = get_logger("producer")

FIRST_RETRY, LAST_RETRY = 0.5, 30.0

Sink = Callable[[Frame], Awaitable[None]]


async def run_camera(camera: Camera, source: Source, sink: Sink, metrics: ProducerMetrics) -> bool:
    """Until the source ends (True) or fails for good (False); a source that `retries` never does the latter."""
    attempt = 0
    while True:
        try:
            async with aclosing(source.frames()) as items:
                async for item in items:
                    attempt = 0
                    if isinstance(item, Captured):
                        await sink(camera.frame(item, time.monotonic(), time.time()))
                        continue
                    metrics.skipped.labels(camera.camera_id, item.reason).inc()
                    if not item.detail:
                        camera.alive(time.monotonic(), time.time())
                    elif camera.news(item.detail):
                        log.warning(
                            "frame skipped",
                            camera_id=camera.camera_id,
                            reason=item.reason,
                            detail=item.detail,
                        )
        except SourceError as error:
            failure = error
        except Exception as error:
            # One camera's surprise must not end the others; the traceback is for us.
            log.exception("source failed unexpectedly", camera_id=camera.camera_id)
            failure = SourceError("error", f"unexpected: {type(error).__name__}")
        else:
            camera.ended(time.time())
            return True
        metrics.errors.labels(camera.camera_id, failure.reason).inc()
        camera.failed(failure, time.time(), final=not source.retries)
        if not source.retries:
            return False
        await asyncio.sleep(compute_backoff(attempt, base=FIRST_RETRY, cap=LAST_RETRY))
        attempt += 1
