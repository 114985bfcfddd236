"""The canary's metrics, on the gateway's metrics port."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.canary.judgement import FaceScore

OUTCOMES = FOUND, MISSED, LOST, REFUSED = ("found", "missed", "lost", "refused")
# Edges on the objectives: the half second that a viewer may wait, a second, the ten seconds after which it is lost.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10)


class CanaryMetrics:
    """What became of the canary's frames. The gauges are NaN while nobody has answered the last one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._recall = Gauge(
            "framefleet_canary_recall",
            "Faces found of those known in the canary's last frame, 0 to 1; NaN: it has no answer",
            registry=registry,
        )
        self._box_error = Gauge(
            "framefleet_canary_box_error",
            "1 - mean intersection over union of the canary's faces and the boxes that found them in its last frame; "
            "NaN: none was found",
            registry=registry,
        )
        self._latency = Histogram(
            "framefleet_canary_latency_seconds",
            "The canary's frame from its making to its result, by the gateway's clock",
            buckets=BUCKETS,
            registry=registry,
        )
        self._frames = Counter(
            "framefleet_canary_frames_total",
            "Frames of the canary: found (all faces), missed (a result without all faces), lost (no result in time), "
            "refused (not taken by the broker)",
            ["outcome"],
            registry=registry,
        )
        for outcome in OUTCOMES:  # from zero on, so that the first one is an increase
            self._frames.labels(outcome)
        self._know_nothing()

    def judged(self, score: FaceScore) -> None:
        """Count a frame that was computed, or whose worker says that it could not."""
        self._recall.set(score.recall)
        self._box_error.set(math.nan if score.box_error is None else score.box_error)
        self._frames.labels(FOUND if score.complete else MISSED).inc()

    def answered(self, seconds: float) -> None:
        """Take how long the answer to a frame took."""
        self._latency.observe(seconds)

    def unanswered(self, outcome: str) -> None:
        """Count a frame that is lost or was refused."""
        self._frames.labels(outcome).inc()
        self._know_nothing()

    def _know_nothing(self) -> None:
        self._recall.set(math.nan)
        self._box_error.set(math.nan)
