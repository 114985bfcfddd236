"""The metrics that all services have in common."""

import platform

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from runtime.metrics.loop_lag import CallLater, Cancel, watch_lag
from runtime.metrics.process_figures import ProcessFigures
from runtime.version import VERSION

LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
LEVELS = {"warning": "warning", "error": "error", "critical": "error"}


class ServiceMetrics:
    """Registers what a process tells of itself: build, CPU, memory, files, threads, garbage, loops, log messages."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(ProcessFigures())
        Gauge(
            "framefleet_build_info",
            "The version of the service and of its Python; always 1",
            ["service", "version", "python"],
            registry=registry,
        ).labels(service, VERSION, platform.python_version()).set(1)
        self._lag = Histogram(
            "framefleet_event_loop_lag_seconds",
            "How late an event loop did what was due, looked at four times a second",
            ["loop"],
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._logged = Counter(
            "framefleet_log_messages_total",
            "Messages to the log, those included that were counted instead of written since they repeat",
            ["level"],
            registry=registry,
        )
        for level in LEVELS.values():
            self._logged.labels(level)
        self.spans = span_counter(registry)

    def logged(self, level: str) -> None:
        """Count a message to the log; other levels than warnings and errors are left out."""
        if name := LEVELS.get(level):
            self._logged.labels(name).inc()

    def watch_loop(self, name: str, call_later: CallLater) -> Cancel:
        """Measure how late that loop is, until the returned function is called. On the loop's thread."""
        return watch_lag(call_later, self._lag.labels(name).observe)


def span_counter(registry: CollectorRegistry) -> Counter:
    """Make the metric of the spans that tracing exports; zero while nothing is traced."""
    spans = Counter(
        "framefleet_spans_total",
        "Spans of traced frames: exported, or dropped because the endpoint takes them too slowly or not at all",
        ["outcome"],
        registry=registry,
    )
    for outcome in ("exported", "dropped"):
        spans.labels(outcome)
    return spans
