"""Results by camera, for Prometheus: when the last one came, how many came, and how old they were."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class CameraResults(NamedTuple):
    """The results of one camera that moved its live view: `last` in Unix seconds, `ages` the sum of their ages.

    `cost` in dollars, of all its results.
    """

    camera_id: str
    last: float
    results: int
    ages: float
    cost: float = 0.0


class CameraCollector(Collector):
    """Tells of the cameras that are listed when it is asked; one that is forgotten has no series."""

    def __init__(self) -> None:
        self._read: Callable[[], Iterable[CameraResults]] = tuple

    def ask_for(self, read: Callable[[], Iterable[CameraResults]]) -> None:
        """Tell what `read` returns at each scrape, in the scrape's thread."""
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Name them, so that a second metric of the same name is refused."""
        return [_last(), _ages(), _costs()]

    def collect(self) -> Iterable[Metric]:
        """The results now."""
        last, ages, costs = _last(), _ages(), _costs()
        for each in self._read():
            last.add_metric([each.camera_id], each.last)
            ages.add_metric([each.camera_id], each.results, each.ages)
            if each.cost:  # of the few cameras whose frames go out
                costs.add_metric([each.camera_id], each.cost)
        return [last, ages, costs]


def _last() -> GaugeMetricFamily:
    words = "When the gateway last had a result of the camera"
    return GaugeMetricFamily("framefleet_camera_last_result_timestamp_seconds", words, labels=["camera_id"])


def _ages() -> SummaryMetricFamily:
    words = "Capture to gateway, of the camera's results that moved its live view"
    return SummaryMetricFamily("framefleet_camera_result_age_seconds", words, labels=["camera_id"])


def _costs() -> CounterMetricFamily:
    words = "What answers of a remote model to the camera's frames have cost, in dollars"
    return CounterMetricFamily("framefleet_camera_remote_cost_dollars", words, labels=["camera_id"])
