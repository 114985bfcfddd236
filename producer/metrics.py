"""The producer's metrics. Labels name the cameras that this process owns, never frames."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class ProducerMetrics:
    """Counters of what was sent, and of everything that was not, with its reason."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        camera, reason = ["camera_id"], ["camera_id", "reason"]
        self.sent = Counter(
            "producer_frames_sent_total", "Frames that the broker confirmed.", camera, registry=registry
        )
        self.skipped = Counter(
            "producer_frames_skipped_total",
            "Frames that were not worth sending or could not be read.",
            reason,
            registry=registry,
        )
        self.dropped = Counter(
            "producer_frames_dropped_total", "Frames that did not reach the queue.", reason, registry=registry
        )
        self.missing_replies = Counter(
            "producer_replies_missing_total",
            "Frames sent whose result was not heard of in time.",
            camera,
            registry=registry,
        )
        self.up = Gauge("producer_camera_up", "1 while the camera is live.", camera, registry=registry)
        self.errors = Counter(
            "producer_camera_errors_total", "Failures of the camera's source.", reason, registry=registry
        )
        self.outstanding = Gauge(
            "producer_outstanding_frames", "Frames sent whose result is awaited.", registry=registry
        )
        self.window = Gauge(
            "producer_window_frames", "Frames that may be outstanding at once.", registry=registry
        )
