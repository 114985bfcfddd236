"""What prometheus_client's own collector does not tell of a process: its threads, and what it writes to disks."""

from collections.abc import Iterable

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class ProcessFigures(Collector):
    """Reads the kernel's figures at each scrape. Where the kernel does not tell one, it is absent."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def describe(self) -> Iterable[Metric]:
        """Name them, so that a second metric of the same name is refused."""
        return [_threads(None), _written(None)]

    def collect(self) -> Iterable[Metric]:
        """The figures now."""
        return [_threads(self._process.num_threads()), _written(self._bytes_written())]

    def _bytes_written(self) -> int | None:
        try:
            return self._process.io_counters().write_bytes
        except (AttributeError, OSError, psutil.Error):  # not on this system, or not for this user
            return None


def _threads(count: int | None) -> Metric:
    words = "Threads of the process, those of libraries included"
    return GaugeMetricFamily("framefleet_threads", words, value=count)


def _written(size: int | None) -> Metric:
    words = "Bytes that the process, and its children that have ended, had written to disks"
    return CounterMetricFamily("framefleet_disk_written_bytes_total", words, value=size)
