"""Runs one camera: opens its source, sends what is worth it, and opens it again for ever if that can help."""

import asyncio
import time
import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from broker.backoff import compute_backoff
from producer.camera.camera import Camera
from producer.errors import SourceError
from producer.frames import Captured, Due, Skipped, Source
from runtime.logs import get_logger

log: Any = get_logger("producer")

FIRST_RETRY, LAST_RETRY = 0.5, 30.0
FIRST_LOGIN, LAST_LOGIN = 10.0, 300.0  # many cameras lock an account after a few wrong passwords
WITHOUT_TURN = 10.0  # seconds; then a picture is fetched all the same: is the camera still there, and well?


async def run_camera(camera: Camera) -> bool:
    """Run it until the source ends (True) or fails for good (False); one that `retries` never does the latter.

    A camera that is switched off ends at once.
    """
    source = camera.source
    if source is None:
        camera.condition.switched_off(time.time())
        return True
    attempts = _Attempts()
    while True:
        try:
            await _capture(camera, source, attempts)
        except SourceError as error:
            failure = error.with_traceback(None)  # it would hold what was read until the camera is back
        except Exception as error:
            failure = _unexpected(camera, error)  # one camera's surprise must not end the others
        else:
            camera.condition.ended(time.time())
            return True
        camera.fail(failure, final=not source.retries)
        if not source.retries:
            return False
        await asyncio.sleep(attempts.delay(failure))


async def _capture(camera: Camera, source: Source, attempts: "_Attempts") -> None:
    """One opening of the source, to its end."""
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Due):
                while await _poll(camera, items, attempts):
                    pass
            else:
                attempts.failed = 0
                frame = await camera.inspect(item)
                if frame is not None:
                    # It waits for the camera's turn by itself, unless a newer one comes before that.
                    await camera.lane.permit(camera).send(frame)
                del frame
            del item  # a thousand cameras that wait for their next picture need not hold the last


async def _poll(
    camera: Camera, items: AsyncGenerator[Captured | Skipped | Due], attempts: "_Attempts"
) -> bool:
    """The turn first, then the picture: it is fetched when it can be sent at once. Returns whether one is due again."""
    async with camera.lane.permit(camera, patience=WITHOUT_TURN) as permit:
        if permit.void:
            return True
        item = await anext(items, None)
        if item is None or isinstance(item, Due):
            return item is not None
        attempts.failed = 0
        frame = await camera.inspect(item)
        if frame is not None:
            # While the picture came, the camera may have changed lanes.
            await (camera.lane.permit(camera) if permit.void else permit).send(frame)
    return False


class _Attempts:
    """How often in a row the source has failed."""

    def __init__(self) -> None:
        self.failed = 0

    def delay(self, failure: SourceError) -> float:
        """Seconds until it is opened again."""
        refused = failure.reason == "unauthorised"
        base, cap = (FIRST_LOGIN, LAST_LOGIN) if refused else (FIRST_RETRY, LAST_RETRY)
        delay = compute_backoff(self.failed, base=base, cap=cap)
        self.failed += 1
        return delay


def _unexpected(camera: Camera, error: Exception) -> SourceError:
    """Log what no source should raise. We are told its place but not its message, which may hold the address."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "source failed unexpectedly",
        camera_id=camera.camera_id,
        error=type(error).__name__,
        place=place,
    )
    return SourceError("error", "an unexpected error; the producer's log has it")
