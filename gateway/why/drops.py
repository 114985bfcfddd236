"""What Prometheus counted of a camera's frames that its producer dropped, in a span of time."""

import asyncio
import math

from contract.api.why import WitnessView
from gateway.cameras.camera import HURDLES
from gateway.errors import PrometheusError
from gateway.prometheus.client import Prometheus
from gateway.prometheus.promql import dropped_of
from gateway.times import written

PATIENCE_SECONDS = 2.5
MARGIN_SECONDS = 15.0
"""Three scrapes: a drop is seen at the next one."""
AT_ONCE = 4
MEANINGS = HURDLES | {
    "replaced": "a newer one took its place before its turn",
    "handed_over": "another producer or lane took over",
}


class DropRecords:
    """Asks Prometheus, a few questions at a time; None where there is no Prometheus."""

    def __init__(self, prometheus: Prometheus | None) -> None:
        self._prometheus = prometheus
        self._places = asyncio.Semaphore(AT_ONCE)

    async def ask(self, camera_id: str, since: float, until: float, now: float) -> WitnessView:
        """Say how many frames of the camera were dropped between the two, and why. Times in Unix seconds."""
        if self._prometheus is None:
            return WitnessView("metrics", "not_asked", "no Prometheus is set up: PROMETHEUS_URL is empty")
        since, until = since - MARGIN_SECONDS, min(now, until + MARGIN_SECONDS)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._places:
                before = await self._prometheus.query(dropped_of(camera_id), since)
                after = await self._prometheus.query(dropped_of(camera_id), until)
        except TimeoutError:
            words = f"Prometheus did not answer within {PATIENCE_SECONDS:g} s"
            return WitnessView("metrics", "unavailable", words)
        except PrometheusError as error:
            return WitnessView("metrics", "unavailable", str(error))
        return _words(camera_id, increase(_by_reason(before), _by_reason(after)), since, until)


def increase(before: dict[str, float], after: dict[str, float]) -> dict[str, int]:
    """What was added to counters by reason, those that began anew in between included; the most first."""
    grown = {
        reason: round(value - before.get(reason, 0.0) if value >= before.get(reason, 0.0) else value)
        for reason, value in after.items()
    }
    return dict(sorted(((r, n) for r, n in grown.items() if n > 0), key=lambda each: -each[1]))


def _by_reason(series: list[tuple[dict[str, str], float | None]]) -> dict[str, float]:
    return {
        labels.get("reason", ""): value
        for labels, value in series
        if value is not None and math.isfinite(value)
    }


def _words(camera_id: str, dropped: dict[str, int], since: float, until: float) -> WitnessView:
    when = f"between {written(since)} and {written(until)}"
    if not dropped:
        words = f"Prometheus counts no frame of {camera_id} that its producer dropped {when}"
        return WitnessView("metrics", "nothing", words)
    told = "; ".join(
        f"{count:,} {reason}" + (f" ({MEANINGS[reason]})" if reason in MEANINGS else "")
        for reason, count in dropped.items()
    )
    frames = f"{sum(dropped.values()):,} frames of {camera_id}"
    words = f"Prometheus counts {frames} that its producer dropped {when}: {told}"
    return WitnessView("metrics", "found", words)
