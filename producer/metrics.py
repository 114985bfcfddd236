"""The producer's metrics. Labels name the cameras that this process owns, never frames."""

from collections.abc import Collection

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from contract.status import CameraState
from runtime.confinement import REMEDIES


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
        self.disabled = Gauge(
            "producer_camera_disabled",
            "1 while the camera is switched off, or has come to its end.",
            camera,
            registry=registry,
        )
        self.defects = Gauge(
            "producer_camera_defect",
            "1 while the camera's pictures are frozen, black, blinded, defocused or moved.",
            ["camera_id", "defect"],
            registry=registry,
        )
        self.errors = Counter(
            "producer_camera_errors_total", "Failures of the camera's source.", reason, registry=registry
        )
        self.outstanding = Gauge(
            "producer_outstanding_frames", "Frames sent whose result is awaited.", registry=registry
        )
        self.window = Gauge(
            "producer_window_frames", "Frames that may be outstanding at once.", registry=registry
        )
        self.file_problems = Gauge(
            "producer_camera_file_problems", "What is wrong in the file of cameras now.", registry=registry
        )
        self._confinement = Gauge(
            "producer_confinement_lacking",
            "1 where decoding processes do without that part of their confinement.",
            ["part"],
            registry=registry,
        )

    def confinement(self, lacking: Collection[str]) -> None:
        """Say what decoding processes have to do without."""
        for part in REMEDIES:
            self._confinement.labels(part).set(part in lacking)

    def defect(self, camera_id: str, defect: str, *, on: bool) -> None:
        """A defect began or ended."""
        if on:
            self.defects.labels(camera_id, defect).set(1)
        else:
            self.defects.remove(camera_id, defect)

    def state(self, camera_id: str, state: CameraState) -> None:
        """The camera's state has changed."""
        self.up.labels(camera_id).set(state == "live")
        if state == "disabled":
            self.disabled.labels(camera_id).set(1)
        else:
            self.disabled.remove_by_labels({"camera_id": camera_id})

    def let_go(self, camera_id: str) -> None:
        """Others speak for the camera from now on; what was counted stays counted."""
        self.up.remove(camera_id)
        self.disabled.remove_by_labels({"camera_id": camera_id})
        self.no_defects(camera_id)

    def no_defects(self, camera_id: str) -> None:
        """Forget what was wrong with the camera's pictures."""
        self.defects.remove_by_labels({"camera_id": camera_id})

    def forget(self, camera_id: str) -> None:
        """There is no such camera any more."""
        self.let_go(camera_id)
        for counter in (self.sent, self.skipped, self.dropped, self.missing_replies, self.errors):
            counter.remove_by_labels({"camera_id": camera_id})
