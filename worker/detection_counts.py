"""What detectors find, for Prometheus: how many of what, and how sure they are.

In plain numbers: a frame may have a hundred faces, and prometheus_client takes some microseconds for each.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from contract.result import DetectedObject

EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
MOST_MODELS, MOST_LABELS = 16, 100
"""Tasks choose models, and a model's file its labels: without bounds either could make series for ever."""
OTHER = "other"


@dataclass(slots=True)
class _Found:
    """What one model found: detections by label, and by the edge below which their confidence is."""

    labels: dict[str, int] = field(default_factory=dict)
    below: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    total: float = 0.0


class DetectionCounts(Collector):
    """Counts by model and label; those beyond the bounds are `other`. Counted on one thread, read by a scrape's."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._models: dict[str, _Found] = {}

    def found(self, model: str, detections: Sequence[DetectedObject]) -> None:
        """Count what a model found in a frame."""
        known = self._models.get(model) or self._model(model)
        labels, below = known.labels, known.below
        for each in detections:
            label, confidence = each.label, each.confidence
            if label not in labels:
                label = _within(labels, label, MOST_LABELS)
            labels[label] = labels.get(label, 0) + 1
            below[bisect_left(EDGES, confidence)] += 1
            known.total += confidence

    def describe(self) -> Iterable[Metric]:
        """Name them, so that a second metric of the same name is refused."""
        return [_detections(), _confidence()]

    def collect(self) -> Iterable[Metric]:
        """The numbers now."""
        detections, confidence = _detections(), _confidence()
        for model, known in list(self._models.items()):
            for label, count in list(known.labels.items()):
                detections.add_metric([self._node_id, model, label], count)
            edges = (*(str(edge) for edge in EDGES), "+Inf")
            confidence.add_metric(
                [model], list(zip(edges, accumulate(list(known.below)), strict=True)), known.total
            )
        return [detections, confidence]

    def _model(self, model: str) -> _Found:
        return self._models.setdefault(_within(self._models, model, MOST_MODELS), _Found())


def _within(known: "dict[str, int] | dict[str, _Found]", name: str, most: int) -> str:
    return name if len(known) < most else OTHER


def _detections() -> CounterMetricFamily:
    return CounterMetricFamily(
        "framefleet_detections_total", "Detections in confirmed results", labels=["node_id", "model", "label"]
    )


def _confidence() -> HistogramMetricFamily:
    words = "How sure the model is of each detection, 0 to 1"
    return HistogramMetricFamily("framefleet_detection_confidence", words, labels=["model"])
