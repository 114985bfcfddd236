"""Runs one camera: opens its source, passes on what is worth sending, and opens it again for ever if that can help."""

import asyncio
import time
import traceback
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from broker.backoff import compute_backoff
from producer.camera.camera import Camera
from producer.camera.served import Served
from producer.errors import SourceError
from producer.frames import Captured, Due, Encoded, Pixels, Skipped
from producer.inspection.health import Change
from producer.lane.outlet import Outlet
from producer.metrics import ProducerMetrics
from runtime.logs import get_logger

log: Any = get_logger("producer")

FIRST_RETRY, LAST_RETRY = 0.5, 30.0
FIRST_LOGIN, LAST_LOGIN = 10.0, 300.0  # many cameras lock an account after a few wrong passwords
NOTHING_NEW = frozenset({"unmodified", "identical", "still"})


async def run_camera(served: Served, outlet: Outlet, metrics: ProducerMetrics) -> bool:
    """Until the source ends (True) or fails for good (False); a source that `retries` never does the latter.

    A camera that is switched off ends at once.
    """
    camera, source = served.camera, served.source
    if source is None:
        camera.switched_off(time.time())
        return True
    attempt = 0
    while True:
        try:
            async with aclosing(source.frames()) as items:
                async for item in items:
                    if isinstance(item, Due):
                        await outlet.turn()
                        continue
                    attempt = 0
                    if isinstance(item, Captured):
                        await _captured(served, item, outlet, metrics)
                        del item  # a thousand cameras that wait for their next picture need not hold the last
                    else:
                        _skipped(served, item, metrics)
                        outlet.give_back()
        except SourceError as error:
            failure = error.with_traceback(None)  # it would hold what was read until the camera is back
        except Exception as error:
            failure = _unexpected(camera, error)  # one camera's surprise must not end the others
        else:
            camera.ended(time.time())
            return True
        finally:
            outlet.give_back()
        metrics.errors.labels(camera.camera_id, failure.reason).inc()
        camera.failed(failure, time.time(), final=not source.retries)
        if served.view is not None:
            served.view.away()
        if not source.retries:
            return False
        refused = failure.reason == "unauthorised"
        base, cap = (FIRST_LOGIN, LAST_LOGIN) if refused else (FIRST_RETRY, LAST_RETRY)
        await asyncio.sleep(compute_backoff(attempt, base=base, cap=cap))
        attempt += 1


def _unexpected(camera: Camera, error: Exception) -> SourceError:
    """What no source should raise. Its place is told to us, and not its message, which may hold the address."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "source failed unexpectedly",
        camera_id=camera.camera_id,
        error=type(error).__name__,
        place=place,
    )
    return SourceError("error", "an unexpected error; the producer's log has it")


async def _captured(served: Served, item: Captured, outlet: Outlet, metrics: ProducerMetrics) -> None:
    view, picture = served.view, item.picture
    if not served.rate.wants(time.monotonic()):
        _skipped(served, Skipped("rate"), metrics)
        outlet.give_back()
        return
    if view is not None:
        if isinstance(picture, Encoded | Pixels):
            now = time.monotonic()
            verdict = await view.look(picture, now)
            served.looked(new=verdict.look.reason in ("first", "changed"), now=now)
            _tell(served, verdict.changes, metrics)
            if not verdict.look.send:
                look = verdict.look
                what = f"{item.name} cannot be used" if item.name else "its pictures cannot be used"
                detail = f"{what}: {look.why}" if look.why else ""
                _skipped(served, Skipped(look.reason, detail), metrics)
                outlet.give_back()
                return
        item = Captured(item.timestamp, view.leaving(picture))
    wanted = served.wanted
    frame = served.camera.frame(item, time.monotonic(), time.time(), lane=wanted.lane, model=wanted.model)
    await outlet.offer(frame)


def _skipped(served: Served, item: Skipped, metrics: ProducerMetrics) -> None:
    camera, now, wall = served.camera, time.monotonic(), time.time()
    metrics.skipped.labels(camera.camera_id, item.reason).inc(item.count)
    if item.reason in NOTHING_NEW:
        if item.reason == "unmodified" and served.view is not None:
            _tell(served, served.view.unmodified(now), metrics)
        camera.nothing_new(now, wall)
    elif not item.detail:
        camera.alive(now, wall)
    elif item.reason == "no_keyframe":
        camera.waiting(item.detail, now, wall)
    else:
        if item.count:  # none: files that were passed over are no frames
            camera.left_out(item.detail, now, wall, count=item.count)
        if camera.news(item.detail):
            log.warning("frame skipped", camera_id=camera.camera_id, reason=item.reason, detail=item.detail)


def _tell(served: Served, changes: Iterable[Change], metrics: ProducerMetrics) -> None:
    for change in changes:
        served.camera.defect(change.defect, change.text if change.on else None)
        metrics.defect(served.camera.camera_id, change.defect, on=change.on)
