"""What the register needs of the gateway: where it tells Prometheus, and the counts of all gateways, if any."""

from typing import Literal

from gateway.attendance.register import Shared
from gateway.attendance_figures import Device, WindowMinutes
from gateway.metrics import GatewayMetrics


class AttendanceCounters:
    """The register's part of the metrics."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._lost = metrics.attendance_lost
        self._stays = metrics.time_on_app

    def lost(self, reason: Literal["full", "redis"], count: int) -> None:
        """Count visitors that are in no count."""
        self._lost.labels(reason).inc(count)

    def stayed(self, device: Device, seconds: float) -> None:
        """Observe a session that has ended."""
        self._stays.labels(device).observe(seconds)


def shared_counts(redis_url: str, windows: WindowMinutes) -> Shared | None:
    """The counts of all gateways; None without REDIS_URL. Its client costs a third of a second at start."""
    if not redis_url:
        return None
    from gateway.attendance.shared import SharedCounts

    return SharedCounts(redis_url, windows)
