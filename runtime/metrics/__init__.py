"""What every service tells of its own process on its metrics port. Imports nothing of the services."""

from runtime.metrics.optional_gauge import OptionalGauge
from runtime.metrics.service import ServiceMetrics

__all__ = ["OptionalGauge", "ServiceMetrics"]
