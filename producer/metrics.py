"""The producer's metrics. Labels name the cameras that this process owns, never frames."""

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge

from broker import LinkCounts
from contract.failures import FailureReason
from contract.status import CameraState
from runtime.confinement import REMEDIES
from runtime.metrics import OptionalGauge, ServiceMetrics

REASONS = frozenset(reason.value for reason in FailureReason)


class ProducerMetrics:
    """Counters of what was sent, and of everything that was not, with its reason.

    `registry` has all that the producer's metrics port shows, `service` are those of its process, `link` counts what
    its link to the broker does.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self.service = ServiceMetrics("producer", registry)
        self.link = LinkCounts()
        registry.register(self.link)
        camera, reason = ["camera_id"], ["camera_id", "reason"]
        self.sent = Counter(
            "producer_frames_sent_total", "Frames that the broker confirmed.", camera, registry=registry
        )
        self._last_frame = Gauge(
            "framefleet_camera_last_frame_timestamp_seconds",
            "When the broker last confirmed a frame of the camera.",
            camera,
            registry=registry,
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
        self.failed = Counter(
            "framefleet_replies_failed_total",
            "Frames sent that a worker answered to be dead letters.",
            reason,
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
        self._certificate = Gauge(
            "framefleet_certificate_expiry_timestamp_seconds",
            "When the certificate of an HTTPS camera ends, where authorities vouch for it.",
            camera,
            registry=registry,
        )
        self._file_reload = OptionalGauge(
            "framefleet_camera_file_reload_timestamp_seconds",
            "When the file of cameras was last read and could be used; absent without a file.",
            registry,
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

    def frame_sent(self, camera_id: str) -> None:
        """The broker has confirmed a frame of the camera."""
        self.sent.labels(camera_id).inc()
        self._last_frame.labels(camera_id).set_to_current_time()

    def frame_failed(self, camera_id: str, reason: str) -> None:
        """A worker answered that a frame of the camera is a dead letter. What it says comes from outside."""
        self.failed.labels(camera_id, reason if reason in REASONS else "other").inc()

    def certificate(self, camera_id: str, ends: float | None) -> None:
        """The camera's host showed a certificate that ends at that Unix second; None: none that was verified."""
        if ends is not None:
            self._certificate.labels(camera_id).set(ends)
        else:
            self._certificate.remove_by_labels({"camera_id": camera_id})

    def file_read(self, problems: int) -> None:
        """The file of cameras was read and is in use, with so many problems in it."""
        self.file_problems.set(problems)
        self._file_reload.set(time.time())

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
        for gauge in (self.disabled, self._certificate):
            gauge.remove_by_labels({"camera_id": camera_id})
        self.no_defects(camera_id)

    def no_defects(self, camera_id: str) -> None:
        """Forget what was wrong with the camera's pictures."""
        self.defects.remove_by_labels({"camera_id": camera_id})

    def forget(self, camera_id: str) -> None:
        """There is no such camera any more."""
        self.let_go(camera_id)
        counters = (self.sent, self.skipped, self.dropped, self.missing_replies, self.failed, self.errors)
        for each in (*counters, self._last_frame):
            each.remove_by_labels({"camera_id": camera_id})
