"""What detectors find, for Prometheus: how many of what, and how sure they are."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from contract.result import DetectedObject

CONFIDENCE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
MOST_MODELS, MOST_LABELS = 16, 100
"""Tasks choose models, and a model's file its labels: without bounds either could make series for ever."""
OTHER = "other"


class DetectionCounts:
    """Counts detections by model and label. Models and labels beyond the bounds are counted as `other`."""

    def __init__(self, node_id: str, registry: CollectorRegistry) -> None:
        self._node_id = node_id
        self._counter = Counter(
            "framefleet_detections_total",
            "Detections in confirmed results",
            ["node_id", "model", "label"],
            registry=registry,
        )
        self._histogram = Histogram(
            "framefleet_detection_confidence",
            "How sure the model is of each detection, 0 to 1",
            ["model"],
            buckets=CONFIDENCE_BUCKETS,
            registry=registry,
        )
        # By model: what takes a confidence, and the counters by label. A look into a dict is what a frame can afford.
        self._models: dict[str, tuple[Histogram, dict[str, Counter]]] = {}

    def found(self, model: str, detections: Sequence[DetectedObject]) -> None:
        """Count what a model found in a frame."""
        if not detections:
            return
        confidence, counters = self._models.get(model) or self._model(model)
        for each in detections:
            (counters.get(each.label) or self._label(model, counters, each.label)).inc()
            confidence.observe(each.confidence)

    def _model(self, model: str) -> tuple[Histogram, dict[str, Counter]]:
        name = model if len(self._models) < MOST_MODELS else OTHER
        if name not in self._models:
            self._models[name] = (self._histogram.labels(name), {})
        return self._models[name]

    def _label(self, model: str, counters: dict[str, Counter], label: str) -> Counter:
        name = label if len(counters) < MOST_LABELS else OTHER
        if name not in counters:
            counters[name] = self._counter.labels(
                self._node_id, model if model in self._models else OTHER, name
            )
        return counters[name]
